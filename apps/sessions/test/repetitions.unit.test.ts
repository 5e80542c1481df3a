import { connect } from 'node:net';
import type { SessionDocumentKind } from '@sluice/agent-sessions';
import { all, makeParts, startSessions, type Answer, type SdkSessions } from './support/sdk-sessions';
import { message, until } from './support/sessions-app';

let service: SdkSessions;
let parts: { agent: string; environment_id: string };

beforeAll(async () => {
  service = await startSessions({ SLUICE_SESSION_CONFIRM_WAIT: '200ms' });
  parts = await makeParts(service.client);
});
afterEach(() => service.projection.resume());
afterAll(() => service.stop());

const RETRY = { 'x-stainless-retry-count': '1' };
const PIXELS = 'A'.repeat(100_000);
const picture = { type: 'image', source: { type: 'base64', media_type: 'image/png', data: PIXELS } };
const withPicture = { type: 'user.message', content: [picture] };
const REPOSITORY = { type: 'github_repository', url: 'https://example.com/a/repo.git', authorization_token: 'secret' };

const post = (path: string, body?: unknown, headers: Record<string, string> = {}) =>
  service.request('POST', path, body, headers);
const makeSession = async () => (await post('/v1/sessions', parts)).body.id as string;
const summary = ({ status, body }: Answer) => ({ status, error: body?.error?.details?.error_code });

const messagesOf = async (id: string) =>
  (await all(service.client.beta.sessions.events.list(id))).filter(({ type }) => type === 'user.message');

/** Documents of workspace 1. */
async function documents(kind: SessionDocumentKind, parentId?: string) {
  const store = await service.host.engine.sessionDocuments();
  const query = { workspaceId: 1, kind, order: 'ascending', limit: 1_000, includeArchived: true } as const;
  return (await store.list({ ...query, ...(parentId !== undefined && { parentId }) })).documents;
}

/** A request on a connection of its own, which is broken off once its command is committed, before it is answered. */
async function brokenOff(method: string, path: string, body: object, isCommitted: () => Promise<boolean>) {
  const { hostname, port } = new URL(service.url);
  const text = JSON.stringify(body);
  const socket = connect(Number(port), hostname);
  socket.on('error', () => undefined);
  service.projection.pause();
  socket.write(
    `${method} ${path} HTTP/1.1\r\nhost: x\r\nx-api-key: ${service.apiKey}\r\ncontent-type: application/json\r\n` +
      `content-length: ${Buffer.byteLength(text)}\r\n\r\n${text}`,
  );
  await until(async () => (await isCommitted()) || undefined, 'the command to be committed');
  socket.resetAndDestroy();
  // Later requests are seen after the end of that connection.
  await service.request('GET', '/v1/agents');
  const ended = await commandsEnded();
  service.projection.resume();
  await until(async () => (await commandsEnded()) > ended || undefined, 'the command to end');
}

async function commandsEnded(): Promise<number> {
  const { text } = await service.request('GET', '/metrics');
  return [...text.matchAll(/^sluice_session_commands_total\{[^}]*\} (\d+)$/gm)].reduce(
    (sum, [, n]) => sum + Number(n),
    0,
  );
}

describe('a session that is made twice', () => {
  it('is one when both calls have the same key', async () => {
    const headers = { 'idempotency-key': 'create-1' };
    const first = await post('/v1/sessions', { ...parts, initial_events: [message('begin')] }, headers);
    const again = await post('/v1/sessions', { ...parts, initial_events: [message('begin')] }, headers);
    expect([first.status, again.status, again.body.id]).toEqual([200, 200, first.body.id]);
    expect(await messagesOf(first.body.id)).toHaveLength(1);
    const other = await post('/v1/sessions', { ...parts, title: 'other' }, headers);
    expect(summary(other)).toEqual({ status: 409, error: 'idempotency_conflict' });
  });

  it('is one for all of many calls at once with the same key', async () => {
    const headers = { 'idempotency-key': 'create-many' };
    const answers = await Promise.all(Array.from({ length: 5 }, () => post('/v1/sessions', parts, headers)));
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 200, 200, 200]);
    expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  });

  it('is one when the SDK repeats a call that could not be confirmed', async () => {
    const body = { ...parts, title: 'unconfirmed', initial_events: [message('begin')], resources: [REPOSITORY] };
    service.projection.pause();
    const first = await post('/v1/sessions', body);
    expect(summary(first)).toEqual({ status: 503, error: 'overloaded' });
    service.projection.resume();
    const again = await post('/v1/sessions', body, RETRY);
    expect(again.status).toBe(200);
    const listed = await all(service.client.beta.sessions.list());
    const made = listed.filter(({ title }) => title === 'unconfirmed');
    expect(made.map(({ id }) => id)).toEqual([again.body.id]);
    expect(await messagesOf(again.body.id)).toHaveLength(1);
    expect(await documents('repository_token', again.body.id)).toHaveLength(1);
    const parents = new Set((await documents('repository_token')).map(({ parentId }) => parentId));
    expect(parents).toEqual(new Set([again.body.id]));
  });

  it('is one also when its agent was archived before it is repeated', async () => {
    const own = await makeParts(service.client);
    service.projection.pause();
    expect((await post('/v1/sessions', own)).status).toBe(503);
    service.projection.resume();
    await service.client.beta.agents.archive(own.agent);
    const again = await post('/v1/sessions', own, RETRY);
    expect({ status: again.status, agent: again.body.agent?.id }).toEqual({ status: 200, agent: own.agent });
  });

  it('is two when no call is a repetition', async () => {
    expect(await makeSession()).not.toBe(await makeSession());
  });
});

describe('a send whose connection breaks', () => {
  it('is one when the SDK repeats it (G2)', async () => {
    const id = await makeSession();
    const path = `/v1/sessions/${id}/events`;
    const body = { events: [message('once')] };
    const store = await service.host.engine.sessionStore();
    const version = (await store.load(1, id))?.version ?? 0;
    await brokenOff('POST', path, body, async () => ((await store.load(1, id))?.version ?? 0) > version);
    const again = await post(path, body, RETRY);
    expect(again.status).toBe(200);
    const [only, ...others] = await messagesOf(id);
    expect([only?.id, others]).toEqual([again.body.data[0].id, []]);
  });

  it('is known until its answer was read, and then no more', async () => {
    const id = await makeSession();
    const path = `/v1/sessions/${id}/events`;
    const body = { events: [message('again and again')] };
    const store = await service.host.engine.sessionStore();
    const marked = jest.spyOn(store, 'markAnswered');
    expect((await post(path, body)).status).toBe(200);
    await until(() => marked.mock.calls.length > 0 || undefined, 'the receipt to be marked');
    marked.mockRestore();
    expect((await post(path, body, RETRY)).status).toBe(200);
    expect(await messagesOf(id)).toHaveLength(2);
  });
});

describe('a deletion that is repeated', () => {
  it.each<[string, Record<string, string>, Record<string, string>]>([
    ['by the SDK', {}, RETRY],
    ['with its key', { 'idempotency-key': 'delete-1' }, { 'idempotency-key': 'delete-1' }],
  ])('is answered as the first one would have been, %s, and the tokens are gone', async (_, first, again) => {
    const made = await post('/v1/sessions', { ...parts, resources: [REPOSITORY] });
    const path = `/v1/sessions/${made.body.id}`;
    service.projection.pause();
    expect((await service.request('DELETE', path, undefined, first)).status).toBe(503);
    service.projection.resume();
    const answer = await service.request('DELETE', path, undefined, again);
    expect([answer.status, answer.body]).toEqual([200, { id: made.body.id, type: 'session_deleted' }]);
    expect(await documents('repository_token', made.body.id)).toEqual([]);
    expect((await service.request('DELETE', path)).status).toBe(404);
  });

  it('G8 does not show it to another workspace that uses the same key', async () => {
    const id = await makeSession();
    const headers = { 'idempotency-key': 'delete-2' };
    expect((await service.request('DELETE', `/v1/sessions/${id}`, undefined, headers)).status).toBe(200);
    const foreign = { ...headers, 'x-api-key': await service.key(2) };
    const answer = await service.request('DELETE', `/v1/sessions/${id}`, undefined, foreign);
    const absent = await service.request('DELETE', `/v1/sessions/sesn_none`, undefined, foreign);
    expect([answer.status, answer.body.error]).toEqual([404, absent.body.error]);
  });
});

describe('a resource', () => {
  it('is added once when its call is repeated with its key, with one token', async () => {
    const id = await makeSession();
    const headers = { 'idempotency-key': 'add-1' };
    const path = `/v1/sessions/${id}/resources`;
    const first = await post(path, REPOSITORY, headers);
    const again = await post(path, REPOSITORY, headers);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(again.body).toEqual(first.body);
    expect((await service.request('GET', path)).body.data).toEqual([first.body]);
    expect((await documents('repository_token', id)).map((token) => token.id)).toEqual([first.body.id]);
  });

  it('is answered as it is when the change of its token is repeated, and its removal as well', async () => {
    const made = await post('/v1/sessions', { ...parts, resources: [REPOSITORY] });
    const path = `/v1/sessions/${made.body.id}/resources/${made.body.resources[0].id}`;
    const headers = { 'idempotency-key': 'change-1' };
    const first = await post(path, { authorization_token: 'other' }, headers);
    const again = await post(path, { authorization_token: 'other' }, headers);
    expect([again.status, again.body]).toEqual([200, first.body]);
    expect((await service.request('GET', path)).body).toEqual(first.body);
    const removed = await service.request('DELETE', path, undefined, { 'idempotency-key': 'remove-1' });
    const repeated = await service.request('DELETE', path, undefined, { 'idempotency-key': 'remove-1' });
    expect([repeated.status, repeated.body]).toEqual([200, removed.body]);
    expect(await documents('repository_token', made.body.id)).toEqual([]);
  });
});

describe('what is large in a message', () => {
  const filesOf = async () => (await all(service.client.beta.files.list())).length;

  it('is not kept when the session takes no messages', async () => {
    const id = await makeSession();
    await service.client.beta.sessions.archive(id);
    const before = await filesOf();
    expect((await post(`/v1/sessions/${id}/events`, { events: [withPicture] })).status).toBe(409);
    expect(await filesOf()).toBe(before);
  });

  it('is not kept when another event of the send is refused', async () => {
    const id = await makeSession();
    const before = await filesOf();
    const answer = { type: 'user.custom_tool_result', custom_tool_use_id: 'sevt_none' };
    expect((await post(`/v1/sessions/${id}/events`, { events: [withPicture, answer] })).status).toBe(400);
    expect(await filesOf()).toBe(before);
  });

  it('is not kept when the session cannot begin with it', async () => {
    const before = await filesOf();
    const refused = await post('/v1/sessions', { ...parts, initial_events: [withPicture, { type: 'user.interrupt' }] });
    expect(refused.status).toBe(400);
    expect(await filesOf()).toBe(before);
  });

  it('is kept once when the call is repeated', async () => {
    const id = await makeSession();
    const before = await filesOf();
    const headers = { 'idempotency-key': 'picture-1' };
    const first = await post(`/v1/sessions/${id}/events`, { events: [withPicture] }, headers);
    const again = await post(`/v1/sessions/${id}/events`, { events: [withPicture] }, headers);
    expect([first.status, again.status]).toEqual([200, 200]);
    expect(await filesOf()).toBe(before + 1);
    const created = await post('/v1/sessions', { ...parts, initial_events: [withPicture] }, headers);
    const repeated = await post('/v1/sessions', { ...parts, initial_events: [withPicture] }, headers);
    expect([created.status, repeated.body.id]).toEqual([200, created.body.id]);
    expect(await filesOf()).toBe(before + 2);
  });
});
