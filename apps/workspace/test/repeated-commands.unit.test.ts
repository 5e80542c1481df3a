import type { WorkspaceEventType } from '@sluice/event-schema';
import { TestResponder } from './test-responder';
import { startWorkspace, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
const responder = new TestResponder();
beforeAll(async () => {
  service = await startWorkspace({ responder, env: { SLUICE_CRON_POLL_INTERVAL: '10s' } });
});
afterAll(() => service.stop());

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
const agent = (member_id: string) => ({ type: 'agent', member_id });
const runs = (session: string) => service.documents.find(1, 'run', session);
const written = () => service.events().length;

async function chatOf(...agents: string[]) {
  const body = { name: 'x', members: agents.map(agent) };
  const chat = (await service.call('POST', '/api/group-chats', body)).body.group_chat.id;
  const session = (await service.call('POST', `/api/group-chats/${chat}/sessions`, {})).body.id;
  return { chat: `/api/group-chats/${chat}`, messages: `/api/group-chats/${chat}/sessions/${session}/messages` };
}

const spawn = async (prompt: string, session_id?: string): Promise<string> =>
  (await service.call('POST', '/api/agents/AMP/spawn', { prompt, session_id })).body.session_id;

it.each([
  ['joined', (chat: string) => service.call('POST', `${chat}/members`, agent('GEMINI'))],
  ['left', (chat: string) => service.call('DELETE', `${chat}/members/AMP`)],
  ['was deleted with its chat', (chat: string) => service.call('DELETE', chat)],
])('answers a repeated group message as the first, after an agent %s (G2)', async (_, change) => {
  const { chat, messages } = await chatOf('AMP', 'CODEX');
  const first = await service.call('POST', messages, { content: 'hi' }, keyed('a'));
  await change(chat);
  const before = service.events('group_chat_agent_thinking').length;
  const second = await service.call('POST', messages, { content: 'hi' }, keyed('a'));
  expect([second.status, second.body]).toEqual([first.status, first.body]);
  expect(service.events('group_chat_agent_thinking')).toHaveLength(before);
});

it('answers a repeated stop as the first, and says so once (G2)', async () => {
  const session_id = await spawn('wait b');
  const first = await service.call('POST', '/api/agents/AMP/stop', { session_id }, keyed('b'));
  const before = written();
  const second = await service.call('POST', '/api/agents/AMP/stop', { session_id }, keyed('b'));
  expect([second.status, second.body]).toEqual([first.status, first.body]);
  expect(first.status).toBe(200);
  expect(written()).toBe(before);
});

it('answers a stop with a key that ended the run before it was on record', async () => {
  const session_id = await spawn('wait c');
  await service.call('POST', '/api/agents/AMP/stop', { session_id });
  const stop = () => service.call('POST', '/api/agents/AMP/stop', { session_id }, keyed('c'));
  expect((await stop()).status).toBe(200);
  await spawn('wait c again', session_id);
  expect((await stop()).status).toBe(200);
  expect(await runs(session_id)).toBeDefined();
});

it.each<[string, string, (session: string) => string, (session: string) => object | undefined]>([
  ['stop', 'POST', () => '/api/agents/AMP/stop', (session_id) => ({ session_id })],
  ['PATCH', 'PATCH', (session) => `/api/sessions/${session}`, () => ({ status: 'cancelled' })],
  ['DELETE', 'DELETE', (session) => `/api/sessions/${session}`, () => undefined],
])('does not end the next run of a session by a repeated %s (G2)', async (name, method, path, body) => {
  const session = await spawn(`wait ${name}`);
  const call = () => service.call(method, path(session), body(session), keyed('d'));
  expect((await call()).status).toBe(200);
  await spawn(`wait again ${name}`, session);
  expect((await call()).status).toBe(200);
  expect(await runs(session)).toBeDefined();
});

it('answers a repeated PATCH after other changes, and leaves those (G2)', async () => {
  const { chat } = await chatOf();
  await service.call('POST', '/api/cron', { id: 'patched', name: 'j', message: 'm', every: 100_000 });
  const job = '/api/cron/patched';
  await service.call('PATCH', chat, { settings: { history_limit: 5 } }, keyed('e'));
  await service.call('PATCH', chat, { settings: { show_thinking: false, history_limit: 6 } });
  await service.call('PATCH', job, { message: 'n' }, keyed('e'));
  await service.call('PATCH', job, { name: 'other', message: 'o' });
  const before = written();
  const settings = await service.call('PATCH', chat, { settings: { history_limit: 5 } }, keyed('e'));
  expect([settings.status, settings.body.group_chat.settings.history_limit]).toEqual([200, 6]);
  const patched = await service.call('PATCH', job, { message: 'n' }, keyed('e'));
  expect([patched.status, patched.body.name, patched.body.message]).toEqual([200, 'other', 'o']);
  expect(written()).toBe(before);
});

it('makes no second thing by a repeated creation after the first is gone (G2)', async () => {
  const job = { name: 'gone', message: 'm', every: 100_000 };
  const taken = (await service.call('POST', '/api/cron', job)).body.id;
  const made = await service.call('POST', '/api/cron', job, keyed('f'));
  await service.call('DELETE', `/api/cron/${taken}`);
  await service.call('DELETE', `/api/cron/${made.body.id}`);
  const session = await service.call('POST', '/api/sessions', { id: 'gone' }, keyed('f'));
  await service.call('DELETE', '/api/sessions/gone');
  const task = await service.call('POST', '/api/tasks', { title: 'gone' }, keyed('f'));
  await service.call('DELETE', `/api/tasks/${task.body.id}`);
  const again = [
    await service.call('POST', '/api/cron', job, keyed('f')),
    await service.call('POST', '/api/sessions', { id: 'gone' }, keyed('f')),
    await service.call('POST', '/api/tasks', { title: 'gone' }, keyed('f')),
  ];
  expect(again.map(({ status, body }) => [status, body.id])).toEqual(
    [made, session, task].map(({ body }) => [201, body.id]),
  );
  for (const path of ['/api/cron/gone', '/api/sessions/gone', `/api/tasks/${task.body.id}`]) {
    expect((await service.call('GET', path)).status).toBe(404);
  }
});

it('tells of an unknown agent once (G2)', async () => {
  const spawnNobody = () =>
    service.call('POST', '/api/agents/NOBODY/spawn', { prompt: 'x', session_id: 'taken-later' }, keyed('g'));
  expect((await spawnNobody()).status).toBe(404);
  await service.call('POST', '/api/sessions', { id: 'taken-later' });
  const before = written();
  expect((await spawnNobody()).status).toBe(404);
  expect(written()).toBe(before);
});

it.each<[string, WorkspaceEventType, string, object, object]>([
  ['another id', 'session_created', '/api/sessions', { id: 'h1' }, { id: 'h2' }],
  [
    'another job',
    'cron_job_created',
    '/api/cron',
    { id: 'h1', name: 'h', every: 1_000 },
    { id: 'h2', name: 'h', every: 1_000 },
  ],
  [
    'another session',
    'agent_spawned',
    '/api/agents/AMP/spawn',
    { prompt: 'h', session_id: 'i1' },
    { prompt: 'h', session_id: 'i2' },
  ],
  ['more', 'task_created', '/api/tasks', { title: 'h', prompt: 'p' }, { title: 'h' }],
])('refuses a key that stood for %s', async (_, type, path, one, other) => {
  await service.call('POST', path, one, keyed('h'));
  const count = service.events(type).length;
  const refused = await service.call('POST', path, other, keyed('h'));
  expect([refused.status, refused.body.code]).toEqual([409, 'idempotency_conflict']);
  expect(service.events(type)).toHaveLength(count);
  const again = await service.call('POST', path, one, keyed('h'));
  expect(again.status).toBeLessThan(300);
});
