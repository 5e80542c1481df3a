import { workspaceOperations } from '../src/http/operations';
import { OPERATOR_KEY, startWorkspace, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
beforeAll(async () => {
  service = await startWorkspace();
});
afterAll(() => service.stop());

/** Bodies that are valid, so that nothing but access decides. */
const BODIES: Record<string, object> = {
  'POST /api/tasks': { title: 'x' },
  'POST /api/sessions': {},
  'POST /api/sessions/{id}/message': { content: 'x' },
  'POST /api/agents/{id}/spawn': { prompt: 'x' },
  'POST /api/agents/{id}/stop': { session_id: 'x' },
  'POST /api/group-chats': { name: 'x' },
  'POST /api/group-chats/{id}/members': { type: 'human', member_id: 'x' },
  'POST /api/group-chats/{id}/sessions/{sessionId}/messages': { content: 'x' },
  'POST /api/cron': { name: 'x', every: 1000 },
};

const routes = workspaceOperations.map(({ method, path, body }) => {
  const name = `${method} ${path}`;
  return { method, path, name, json: BODIES[name] ?? (body && {}) };
});

/** One of everything, of workspace 1. */
async function everything(): Promise<Record<string, string>> {
  const of = async (path: string, body: object) => (await service.call('POST', path, body)).body;
  const chat = (await of('/api/group-chats', { name: 'secret', members: [{ type: 'agent', member_id: 'AMP' }] }))
    .group_chat.id;
  return {
    tasks: (await of('/api/tasks', { title: 'secret' })).id,
    sessions: (await of('/api/sessions', { title: 'secret' })).id,
    cron: (await of('/api/cron', { name: 'secret', every: 1000 })).id,
    'group-chats': chat,
    sessionId: (await of(`/api/group-chats/${chat}/sessions`, {})).id,
    memberId: 'AMP',
    agents: 'AMP',
  };
}

function filled(path: string, ids: Record<string, string>): string {
  const kind = path.split('/')[2] ?? '';
  return path.replaceAll(/\{(\w+)\}/g, (_, name: string) => (name === 'id' ? ids[kind] : ids[name]) ?? '');
}

it('lets nobody in without a key, at any route', async () => {
  for (const { method, path, name, json } of routes) {
    const answer = await service.call(method, path.replaceAll(/[{}]/g, ''), json, { key: undefined });
    expect([name, answer.status, answer.body.code]).toEqual([name, 401, 'unauthorized']);
  }
});

it('lets readers read and nothing else', async () => {
  const key = await service.key(1, 'reader');
  const ids = await everything();
  for (const { method, path, name, json } of routes) {
    const answer = await service.call(method, filled(path, ids), json, { key });
    if (method === 'GET') expect([name, answer.status]).toEqual([name, 200]);
    else expect([name, answer.status, answer.body.code]).toEqual([name, 403, 'forbidden']);
  }
});

it('never shows or changes what is of another workspace, at any route (G8)', async () => {
  const key = await service.key(2);
  const ids = await everything();
  const before = service.events().length;
  for (const { method, path, name, json } of routes.filter(
    ({ path }) => path.includes('{') && !path.includes('/agents/'),
  )) {
    const unknown = filled(path, { ...ids, tasks: 'none', sessions: 'none', cron: 'none', 'group-chats': 'none' });
    const [foreign, none] = [
      await service.call(method, filled(path, ids), json, { key }),
      await service.call(method, unknown, json, { key }),
    ];
    expect([name, foreign.status]).toEqual([name, 404]);
    expect({ ...foreign.body, requestId: '' }).toEqual({ ...none.body, requestId: '' });
  }
  const stopped = await service.call('POST', '/api/agents/AMP/stop', { session_id: ids['sessions'] }, { key });
  expect(stopped.status).toBe(404);
  for (const list of ['tasks', 'sessions', 'group-chats', 'cron']) {
    const { text } = await service.call('GET', `/api/${list}`, undefined, { key });
    expect(text).not.toContain('secret');
  }
  const named = await service.call('GET', '/api/tasks?workspaceId=1', undefined, { key });
  expect([named.status, named.body.code]).toEqual([401, 'unauthorized']);
  expect(service.events().length).toBe(before);
});

it('may have the same ids in two workspaces', async () => {
  const [one, two] = [await service.key(1), await service.key(2)];
  await service.call('POST', '/api/cron', { id: 'same', name: 'of one', every: 1000 }, { key: one });
  await service.call('POST', '/api/cron', { id: 'same', name: 'of two', every: 1000 }, { key: two });
  await service.call('DELETE', '/api/cron/same', undefined, { key: two });
  expect((await service.call('GET', '/api/cron/same', undefined, { key: one })).body.name).toBe('of one');
});

it('lets an operator do all, in a workspace that it names', async () => {
  const key = OPERATOR_KEY;
  const made = await service.call('POST', '/api/tasks?workspaceId=5', { title: 'x' }, { key });
  expect(made.status).toBe(201);
  expect(service.events('task_created').at(-1)?.workspaceId).toBe(5);
  const unnamed = await service.call('POST', '/api/tasks', { title: 'x' }, { key });
  expect([unnamed.status, unnamed.body.where]).toEqual([400, 'query.workspaceId']);
  // Registry events are all that the public workspace has.
  const inPublic = await service.call('POST', '/api/tasks?workspaceId=0', { title: 'x' }, { key });
  expect([inPublic.status, inPublic.body.where]).toEqual([400, 'query.workspaceId']);
});

it('lets no sandbox in', async () => {
  const { accessToken } = await (await service.host.access()).mintAccessToken({ workspaceId: 1, sandboxId: 's' });
  for (const method of ['GET', 'POST']) {
    const answer = await service.call(method, '/api/tasks', method === 'POST' ? { title: 'x' } : undefined, {
      key: undefined,
      bearer: accessToken,
    });
    expect(answer.status).toBe(403);
  }
});

it('lets those in who come over loopback, where a development engine says so', async () => {
  const development = await startWorkspace({ env: { SLUICE_LOOPBACK_WORKSPACE: '1' } });
  try {
    const made = await development.call('POST', '/api/tasks', { title: 'New task' }, { key: undefined });
    expect(made.status).toBe(201);
    expect((await development.event('task_created')).workspaceId).toBe(1);
    const foreign = { key: undefined, headers: { origin: 'https://evil.example' } };
    expect((await development.call('POST', '/api/tasks', { title: 'x' }, foreign)).status).toBe(401);
  } finally {
    await development.stop();
  }
});
