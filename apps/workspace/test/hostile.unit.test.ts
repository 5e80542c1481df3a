import { workspaceOperations } from '../src/http/operations';
import { startWorkspace, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
beforeAll(async () => {
  service = await startWorkspace();
});
afterAll(() => service.stop());

const bodied = workspaceOperations.filter(({ body }) => body !== undefined);
const pathOf = (path: string) => path.replaceAll(/[{}]/g, '');

it('refuses bodies of any wrong shape at every route, and tells where the fault is', async () => {
  const before = service.events().length;
  for (const { method, path } of bodied) {
    for (const json of [
      null,
      [],
      'text',
      7,
      { unknown: 1 },
      { title: {}, name: [], content: 1, prompt: 1, type: 1, status: 1 },
    ]) {
      const answer = await service.call(method, pathOf(path), json);
      expect([method, path, json, answer.status]).toEqual([method, path, json, 400]);
      expect(Object.keys(answer.body).filter((name) => name !== 'where')).toEqual([
        'success',
        'error',
        'code',
        'requestId',
      ]);
    }
    for (const raw of ['', '{', '{"__proto__":{"title":"x"}}', '\ufffe']) {
      expect((await service.call(method, pathOf(path), undefined, { raw })).status).toBe(400);
    }
  }
  expect(service.events().length).toBe(before);
});

it.each([
  ['title', { title: '' }],
  ['title', { title: 'x'.repeat(501) }],
  ['title', { title: 'half \ud83d' }],
  ['description', { title: 'x', description: 'x'.repeat(100_001) }],
  ['status', { title: 'x', status: 'unknown' }],
  ['agent_id', { title: 'x', agent_id: 'two words' }],
  ['task_id', { title: 'x', task_id: 'mine' }],
  ['session_id', { title: 'x', session_id: 'x'.repeat(300) }],
])('refuses a bad %s', async (field, body) => {
  const answer = await service.call('POST', '/api/tasks', body);
  expect([answer.status, answer.body.code, answer.body.where]).toEqual([400, 'invalid_request', `body.${field}`]);
});

it('answers 413 for an event that is too large as a whole, and for a body', async () => {
  const wide = '€'.repeat(90_000);
  const event = await service.call('POST', '/api/tasks', { title: 'x', description: wide, prompt: wide });
  expect([event.status, event.body.code]).toEqual([413, 'payload_too_large']);
  const body = await service.call('POST', '/api/tasks', { title: 'x', description: 'x'.repeat(1_100_000) });
  expect(body.status).toBe(413);
});

it('keeps words that look like frames as they are', async () => {
  const title = 'a\r\n\r\nevent: TaskDeleted\ndata: {}\n\u2028\u0000 ✓ 😀';
  const { body } = await service.call('POST', '/api/tasks', { title });
  expect(body.title).toBe(title);
  expect((await service.call('GET', `/api/tasks/${body.id}`)).body.title).toBe(title);
});

it.each([
  '/api/tasks/%00',
  '/api/tasks/a%20b',
  `/api/tasks/${'x'.repeat(400)}`,
  '/api/tasks/%E0%A4%A',
  '/api/agents/a%0Ab/spawn',
])('refuses the id in %s', async (path) => {
  const answer = await service.call(
    path.endsWith('spawn') ? 'POST' : 'GET',
    path,
    path.endsWith('spawn') ? { prompt: 'x' } : undefined,
  );
  expect(answer.status).toBe(400);
});

it.each(['__proto__', 'constructor', 'toString', "'; drop table tasks; --".replaceAll(' ', ''), '../../etc/passwd'])(
  'finds nothing under the id %s',
  async (id) => {
    for (const kind of ['tasks', 'sessions', 'group-chats', 'cron']) {
      expect((await service.call('GET', `/api/${kind}/${encodeURIComponent(id)}`)).status).toBe(404);
    }
    expect((await service.call('POST', `/api/agents/${encodeURIComponent(id)}/spawn`, { prompt: 'x' })).status).toBe(
      404,
    );
  },
);

it.each([
  'limit=0',
  'limit=501',
  'limit=1&limit=2',
  'cursor=x',
  'cursor=-1',
  'cursor=99999999999999999999',
  'order=up',
  'workspaceId=x',
  'unknown=1',
])('refuses the query %s', async (query) => {
  const answer = await service.call('GET', `/api/tasks?${query}`);
  expect([answer.status, answer.body.code]).toEqual([400, 'invalid_request']);
});

it('refuses a body where none is known, and a bad idempotency key', async () => {
  const { id } = (await service.call('POST', '/api/cron', { name: 'x', every: 1000 })).body;
  expect((await service.call('POST', `/api/cron/${id}/disable`, { enabled: true })).status).toBe(400);
  const long = await service.call(
    'POST',
    '/api/tasks',
    { title: 'x' },
    { headers: { 'idempotency-key': 'k'.repeat(257) } },
  );
  expect([long.status, long.body.where]).toEqual([400, 'headers.idempotency-key']);
});

it('answers hostile cron expressions', async () => {
  for (const cron of [
    '*/1,'.repeat(120) + '* * * * *',
    '0-59/1 0-23 1-31 1-12 0-6',
    '59 59 23 31 12 0',
    '* * 31 2 *',
    '0 0 29 2 1#5',
  ]) {
    const { status } = await service.call('POST', '/api/cron', { name: 'x', cron, enabled: false });
    expect([201, 400]).toContain(status);
  }
});
