import { TestResponder } from './test-responder';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
const responder = new TestResponder();
beforeAll(async () => {
  service = await startWorkspace({ responder, env: { SLUICE_WORKSPACE_PROJECTION_WAIT: '3s' } });
});
afterAll(() => service.stop());

const keyed = (key: string) => ({ headers: { 'idempotency-key': key } });
const twice = async (method: string, path: string, json: unknown, key: string) => [
  await service.call(method, path, json, keyed(key)),
  await service.call(method, path, json, keyed(key)),
];
const statuses = (answers: { status: number }[]) => answers.map(({ status }) => status);

it('makes one task of a repeated request (G2)', async () => {
  const [first, second] = await twice('POST', '/api/tasks', { title: 'one' }, 'k1');
  expect([first?.status, second?.status]).toEqual([201, 201]);
  expect(second?.body).toEqual(first?.body);
  expect(service.events('task_created').filter(({ data }) => data['title'] === 'one')).toHaveLength(1);
});

it('makes one task of requests at the same time (G2)', async () => {
  const answers = await Promise.all(
    Array.from({ length: 5 }, () => service.call('POST', '/api/tasks', { title: 'at once' }, keyed('k2'))),
  );
  expect(new Set(answers.map(({ body }) => body.id)).size).toBe(1);
  expect(service.events('task_created').filter(({ data }) => data['title'] === 'at once')).toHaveLength(1);
});

it('refuses a key that stands for something else', async () => {
  await service.call('POST', '/api/tasks', { title: 'this' }, keyed('k3'));
  const other = await service.call('POST', '/api/tasks', { title: 'that' }, keyed('k3'));
  expect([other.status, other.body.code]).toEqual([409, 'idempotency_conflict']);
  const elsewhere = await service.call(
    'POST',
    '/api/tasks',
    { title: 'that' },
    { ...keyed('k3'), key: await service.key(2) },
  );
  expect(elsewhere.status).toBe(201);
});

it('tells of a repeated change once', async () => {
  const { id } = (await service.call('POST', '/api/tasks', { title: 'x' })).body;
  const answers = await twice('PATCH', `/api/tasks/${id}`, { status: 'done' }, 'k4');
  expect(answers.map(({ status, body }) => [status, body.status])).toEqual([
    [200, 'done'],
    [200, 'done'],
  ]);
  const told = service.events().filter(({ entityId }) => entityId === `task/${id}`);
  expect(told.map(({ type }) => type)).toEqual(['task_created', 'task_status_changed', 'task_updated']);
});

it('answers a repeated deletion as the first', async () => {
  const { id: task } = (await service.call('POST', '/api/tasks', { title: 'x' })).body;
  const { id: session } = (await service.call('POST', '/api/sessions', {})).body;
  const { id: job } = (await service.call('POST', '/api/cron', { name: 'x', every: 1000 })).body;
  const chat = (
    await service.call('POST', '/api/group-chats', { name: 'x', members: [{ type: 'human', member_id: 'm' }] })
  ).body.group_chat.id;
  for (const path of [
    `tasks/${task}`,
    `sessions/${session}`,
    `cron/${job}`,
    `group-chats/${chat}/members/m`,
    `group-chats/${chat}`,
  ]) {
    expect(statuses(await twice('DELETE', `/api/${path}`, undefined, 'k5'))).toEqual([200, 200]);
    expect((await service.call('DELETE', `/api/${path}`)).status).toBe(404);
  }
});

it('runs a repeated spawn, message and job once', async () => {
  const [first, second] = await twice('POST', '/api/agents/AMP/spawn', { prompt: 'spawned once' }, 'k6');
  expect(second?.body).toEqual(first?.body);
  const chat = (
    await service.call('POST', '/api/group-chats', { name: 'x', members: [{ type: 'agent', member_id: 'AMP' }] })
  ).body.group_chat.id;
  const session = (await service.call('POST', `/api/group-chats/${chat}/sessions`, {})).body.id;
  const said = await twice(
    'POST',
    `/api/group-chats/${chat}/sessions/${session}/messages`,
    { content: 'said once' },
    'k7',
  );
  expect(statuses(said)).toEqual([201, 201]);
  await twice('POST', '/api/cron', { id: 'keyed', name: 'keyed', message: 'run once', every: 100_000 }, 'k8');
  const ran = await twice('POST', '/api/cron/keyed/run', undefined, 'k9');
  expect(ran[1]?.body).toEqual(ran[0]?.body);
  await until(
    async () =>
      (await service.documents.due({ kind: 'run', dueBefore: Number.MAX_SAFE_INTEGER, limit: 9 })).length === 0 ||
      undefined,
  );
  for (const prompt of ['spawned once', 'said once', 'run once']) {
    expect(responder.asked.filter((asked) => asked.prompt === prompt)).toHaveLength(1);
  }
});

it('takes a member and a session of an own id once', async () => {
  const chat = (await service.call('POST', '/api/group-chats', { name: 'x' })).body.group_chat.id;
  const member = { type: 'human', member_id: 'ada' };
  expect(statuses(await twice('POST', `/api/group-chats/${chat}/members`, member, 'k10'))).toEqual([201, 201]);
  expect(statuses(await twice('POST', '/api/sessions', { id: 'own' }, 'k11'))).toEqual([201, 201]);
});

it('answers 202 while a change cannot be read, and runs what was spawned then', async () => {
  await service.stop();
  service = await startWorkspace({ responder, env: { SLUICE_WORKSPACE_PROJECTION_WAIT: '200ms' } });
  service.projection.pause();
  const made = await service.call('POST', '/api/tasks', { title: 'later' });
  expect([made.status, made.body.title]).toEqual([202, 'later']);
  const spawned = await twice('POST', '/api/agents/AMP/spawn', { prompt: 'spawned late' }, 'k12');
  expect(statuses(spawned)).toEqual([202, 202]);
  service.projection.resume();
  const found = await until(async () => {
    const { status, body } = await service.call('GET', `/api/tasks/${made.body.id}`);
    return status === 200 ? body : undefined;
  });
  expect(found).toEqual(made.body);
  await service.event('agent_completed', ({ data }) => data['session_id'] === spawned[0]?.body.session_id);
  expect(responder.asked.filter(({ prompt }) => prompt === 'spawned late')).toHaveLength(1);
});
