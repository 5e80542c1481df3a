import type { Anthropic } from '@anthropic-ai/sdk';
import { all, makeParts, refusalOf, startSessions, type SdkSessions } from './support/sdk-sessions';
import { message, until } from './support/sessions-app';

let service: SdkSessions;
let parts: { agent: string; environment_id: string };
let sessions: Anthropic.Beta.Sessions;

beforeAll(async () => {
  service = await startSessions();
  parts = await makeParts(service.client, { metadata: { team: 'a' } });
  ({ sessions } = service.client.beta);
});

afterAll(() => service.stop());

const say = (text: string) => message(text) as Anthropic.Beta.Sessions.BetaManagedAgentsUserMessageEventParams;

/** All events, once the session has become idle again so often. */
const whenIdle = (id: string, times = 1) =>
  until(async () => {
    const events = await all(sessions.events.list(id));
    return events.filter(({ type }) => type === 'session.status_idle').length >= times ? events : undefined;
  });

it('makes a session with every member that the SDK knows', async () => {
  const session = await sessions.create({ ...parts, title: 'first', metadata: { a: '1' } });
  expect(session).toEqual({
    id: expect.stringMatching(/^sesn_[0-9a-f]{32}$/),
    type: 'session',
    status: 'idle',
    title: 'first',
    metadata: { a: '1' },
    environment_id: parts.environment_id,
    agent: expect.objectContaining({ id: parts.agent, type: 'agent', version: 1, name: 'helper' }),
    archived_at: null,
    budget: null,
    created_at: expect.any(String),
    updated_at: expect.any(String),
    outcome_evaluations: [],
    resources: [],
    stats: expect.any(Object),
    usage: expect.any(Object),
    vault_ids: [],
  });
  expect(await sessions.retrieve(session.id)).toMatchObject({ id: session.id, title: 'first' });
  expect(await service.oldClient.beta.sessions.retrieve(session.id)).toMatchObject({ id: session.id });
});

it('changes, archives and deletes a session', async () => {
  const { id } = await sessions.create({ ...parts, metadata: { a: '1', b: '2' } });
  const changed = await sessions.update(id, { title: 'new', metadata: { a: null } });
  expect(changed).toMatchObject({ title: 'new', metadata: { b: '2' } });
  expect(await refusalOf(sessions.update(id, { vault_ids: [] }))).toMatchObject({ status: 400 });
  expect(await sessions.archive(id)).toMatchObject({ archived_at: expect.any(String) });
  const sent = await refusalOf(sessions.events.send(id, { events: [say('too late')] }));
  expect(sent).toMatchObject({ status: 409, type: 'invalid_request_error' });
  expect(sent.headers.get('x-should-retry')).toBe('false');
  expect((await all(sessions.list())).map((one) => one.id)).not.toContain(id);
  expect((await all(sessions.list({ include_archived: true }))).map((one) => one.id)).toContain(id);
  expect(await sessions.delete(id)).toEqual({ id, type: 'session_deleted' });
  expect(await refusalOf(sessions.retrieve(id))).toMatchObject({ status: 404 });
  expect(await refusalOf(all(sessions.events.list(id)))).toMatchObject({ status: 404 });
});

it('answers a message by the built-in engine, and lists all of it in its order', async () => {
  const { id } = await sessions.create(parts);
  const { data } = await sessions.events.send(id, { events: [say('hello')] });
  expect(data).toMatchObject([{ type: 'user.message', id: expect.stringMatching(/^sevt_/) }]);
  const events = await whenIdle(id);
  expect(events.map(({ type }) => type)).toEqual([
    'user.message',
    'session.status_running',
    'agent.message',
    'session.status_idle',
  ]);
  expect(events.at(-1)).toMatchObject({ stop_reason: { type: 'end_turn' }, stop_details: null });
  for (const event of events) {
    expect(event).toMatchObject({ id: expect.any(String), processed_at: expect.any(String) });
    expect(event).not.toHaveProperty('sluice');
  }
  expect((await all(sessions.events.list(id, { order: 'desc' }))).map((event) => event.id)).toEqual(
    events.map((event) => event.id).toReversed(),
  );
  expect(await all(sessions.events.list(id, { limit: 1 }))).toEqual(events);
  expect(await all(sessions.events.list(id, { limit: 1_000, types: ['agent.message'] }))).toEqual([events[2]]);
  expect(await all(service.oldClient.beta.sessions.events.list(id, { limit: 2 }))).toEqual(events);
  const page = await sessions.events.list(id, { limit: 1 });
  const other = sessions.events.list(id, { page: page.next_page ?? '', order: 'desc' });
  expect(await refusalOf(other)).toMatchObject({ status: 400 });
  expect((await sessions.events.list(id, { limit: events.length })).next_page).toBeNull();
});

it('begins with the events that come with the session', async () => {
  const { id } = await sessions.create({ ...parts, initial_events: [say('at once')] });
  const [first] = await whenIdle(id);
  expect(first).toMatchObject({ type: 'user.message', content: [{ text: 'at once' }] });
});

it.each<[string, unknown]>([
  ['no events', []],
  ['an unknown type', [{ type: 'user.shout' }]],
  ['an event of an agent', [{ type: 'agent.message', content: [{ type: 'text', text: 'x' }] }]],
  ['an empty text', [{ type: 'user.message', content: [{ type: 'text', text: '' }] }]],
  ['an unknown member', [{ ...message('x'), mood: 'good' }]],
  ['an answer to nothing', [{ type: 'user.custom_tool_result', custom_tool_use_id: 'sevt_none' }]],
  ['one good and one bad', [message('x'), { type: 'user.shout' }]],
  ['a wrong MIME type', [picture({ type: 'base64', media_type: 'image/tiff', data: 'eA==' })]],
  ['a number in place of events', 7],
])('refuses %s, and stores nothing', async (_, events) => {
  const { id } = await sessions.create(parts);
  const { status, body } = await service.request('POST', `/v1/sessions/${id}/events`, { events });
  expect({ status, type: body.error.type }).toEqual({ status: 400, type: 'invalid_request_error' });
  expect(await all(sessions.events.list(id))).toEqual([]);
  expect(await sessions.retrieve(id)).toMatchObject({ status: 'idle' });
});

function picture(source: object) {
  return { type: 'user.message', content: [{ type: 'image', source }] };
}

it('answers 404 for a file that is not there, and stores nothing', async () => {
  const { id } = await sessions.create(parts);
  const events = [picture({ type: 'file', file_id: 'file_none' })];
  const { status } = await service.request('POST', `/v1/sessions/${id}/events`, { events });
  expect(status).toBe(404);
  expect(await all(sessions.events.list(id))).toEqual([]);
});

it('takes one request twice as one when it has a key', async () => {
  const { id } = await sessions.create(parts);
  const path = `/v1/sessions/${id}/events`;
  const headers = { 'idempotency-key': 'send-1' };
  const first = await service.request('POST', path, { events: [message('once')] }, headers);
  const again = await service.request('POST', path, { events: [message('once')] }, headers);
  expect([first.status, again.status]).toEqual([200, 200]);
  expect(again.body.data[0].id).toBe(first.body.data[0].id);
  const other = await service.request('POST', path, { events: [message('other')] }, headers);
  expect(other.status).toBe(409);
  const events = await whenIdle(id);
  expect(events.filter(({ type }) => type === 'user.message')).toHaveLength(1);
});

it('lists sessions by creation, both ways, in pages, and by what they are', async () => {
  const client = service.clientOf(await service.key(61));
  const own = await makeParts(client);
  const made: string[] = [];
  for (let index = 0; index < 5; index++) made.push((await client.beta.sessions.create(own)).id);
  const ids = async (query: Anthropic.Beta.Sessions.SessionListParams) =>
    (await all(client.beta.sessions.list(query))).map(({ id }) => id);
  const listed = await ids({});
  expect(new Set(listed)).toEqual(new Set(made));
  expect(await ids({ limit: 2 })).toEqual(listed);
  expect(await ids({ order: 'asc', limit: 3 })).toEqual(listed.toReversed());
  expect(await ids({ agent_id: own.agent, agent_version: 1, statuses: ['idle', 'running'] })).toEqual(listed);
  expect(await ids({ agent_id: 'agent_none' })).toEqual([]);
  expect(await ids({ statuses: ['terminated'] })).toEqual([]);
  expect(await ids({ 'created_at[gt]': '2100-01-01T00:00:00Z' })).toEqual([]);
  const page = await client.beta.sessions.list({ limit: 2 });
  const otherOrder = client.beta.sessions.list({ limit: 2, order: 'asc', page: page.next_page ?? '' });
  expect(await refusalOf(otherOrder)).toMatchObject({ status: 400 });
});

it('has one thread, which is the session itself', async () => {
  const { id } = await sessions.create({ ...parts, initial_events: [say('hello')] });
  const events = await whenIdle(id);
  const [thread, ...others] = await all(sessions.threads.list(id));
  expect(others).toEqual([]);
  expect(thread).toMatchObject({ type: 'session_thread', session_id: id, parent_thread_id: null, status: 'idle' });
  const threadId = thread?.id ?? '';
  expect(await sessions.threads.retrieve(threadId, { session_id: id })).toMatchObject({ id: threadId });
  expect(await all(sessions.threads.events.list(threadId, { session_id: id }))).toEqual(events);
  expect(await all(sessions.threads.list(id, { statuses: ['running'] }))).toEqual([]);
  expect(await refusalOf(sessions.threads.retrieve('sthr_none', { session_id: id }))).toMatchObject({ status: 404 });
  expect(await refusalOf(sessions.threads.archive(threadId, { session_id: id }))).toMatchObject({ status: 409 });
});

it('gives resources to a session and takes them away', async () => {
  const { files } = service.client.beta;
  const file = await files.upload({ file: new File(['x'], 'a.txt') });
  const { id, resources } = await sessions.create({ ...parts, resources: [{ type: 'file', file_id: file.id }] });
  const mountPath = `/mnt/session/uploads/${file.id}`;
  expect(resources).toMatchObject([{ type: 'file', file_id: file.id, mount_path: mountPath }]);
  const added = await sessions.resources.add(id, { type: 'file', file_id: file.id, mount_path: '/mnt/other' });
  expect(added).toMatchObject({ id: expect.stringMatching(/^sesrsc_/), mount_path: '/mnt/other' });
  expect(await all(sessions.resources.list(id))).toHaveLength(2);
  expect(await sessions.resources.retrieve(added.id, { session_id: id })).toEqual(added);
  const none = sessions.resources.add(id, { type: 'file', file_id: 'file_none' });
  expect(await refusalOf(none)).toMatchObject({ status: 404 });
  const token = sessions.resources.update(added.id, { session_id: id, authorization_token: 't' });
  expect(await refusalOf(token)).toMatchObject({ status: 400 });
  const removed = await sessions.resources.delete(added.id, { session_id: id });
  expect(removed).toEqual({ id: added.id, type: 'session_resource_deleted' });
  expect(await refusalOf(sessions.resources.retrieve(added.id, { session_id: id }))).toMatchObject({ status: 404 });
});
