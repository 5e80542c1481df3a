import { startWorkspace, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
beforeAll(async () => {
  service = await startWorkspace();
});
afterAll(() => service.stop());

const TASK = { title: 'New task', description: 'words', priority: 'high' };

it('creates a task, tells of it and shows it at once (G3)', async () => {
  const made = await service.call('POST', '/api/tasks', TASK);
  expect(made.status).toBe(201);
  expect(made.body).toEqual({
    id: expect.stringMatching(/^task-[0-9a-f-]{36}$/),
    ...TASK,
    status: 'pending',
    agent_id: null,
    created_at: expect.stringMatching(/Z$/),
    updated_at: expect.stringMatching(/Z$/),
  });
  expect((await service.call('GET', `/api/tasks/${made.body.id}`)).body).toEqual(made.body);
  const created = await service.event('task_created', ({ entityId }) => entityId === `task/${made.body.id}`);
  expect(created).toMatchObject({ workspaceId: 1, family: 'workspace', data: { task_id: made.body.id, ...TASK } });
});

it.each(['PATCH', 'PUT'])('changes by %s what is given, and leaves the rest', async (method) => {
  const { id } = (await service.call('POST', '/api/tasks', TASK)).body;
  const changed = await service.call(method, `/api/tasks/${id}`, { description: 'others', agent_id: 'AMP' });
  expect(changed.status).toBe(200);
  expect(changed.body).toMatchObject({ id, ...TASK, description: 'others', agent_id: 'AMP', status: 'pending' });
  const updated = await service.event('task_updated', ({ data }) => data['task_id'] === id);
  expect(updated.data).toEqual({ task_id: id, description: 'others', agent_id: 'AMP' });
});

it('tells of a status only when it becomes another', async () => {
  const { id } = (await service.call('POST', '/api/tasks', { ...TASK, status: 'pending' })).body;
  await service.call('PATCH', `/api/tasks/${id}`, { status: 'pending' });
  const changed = await service.call('PATCH', `/api/tasks/${id}`, { status: 'in_progress' });
  expect(changed.body.status).toBe('in_progress');
  await service.call('PATCH', `/api/tasks/${id}`, { status: 'in_progress', title: 'Other' });
  expect((await service.call('GET', `/api/tasks/${id}`)).body).toMatchObject({ status: 'in_progress', title: 'Other' });
  const told = service.events('task_status_changed').filter(({ data }) => data['task_id'] === id);
  expect(told.map(({ data }) => data)).toEqual([{ task_id: id, old_status: 'pending', new_status: 'in_progress' }]);
  expect(service.events('task_updated').filter(({ data }) => data['task_id'] === id)).toHaveLength(3);
});

it('deletes a task for good', async () => {
  const { id } = (await service.call('POST', '/api/tasks', TASK)).body;
  const deleted = await service.call('DELETE', `/api/tasks/${id}`);
  expect([deleted.status, deleted.body]).toEqual([200, { deleted: id }]);
  expect((await service.event('task_deleted')).data).toEqual({ task_id: id });
  for (const [method, body] of [['GET'], ['PATCH', {}], ['DELETE']] as const) {
    const answer = await service.call(method, `/api/tasks/${id}`, body);
    expect([answer.status, answer.body]).toEqual([
      404,
      { success: false, error: 'No such task', code: 'not_found', where: 'path.id', requestId: expect.any(String) },
    ]);
  }
});

it('lists by pages: each task once, in the order of their making', async () => {
  const own = await service.key(7);
  const ids: string[] = [];
  for (let n = 0; n < 5; n++) {
    ids.push((await service.call('POST', '/api/tasks', { title: `task ${n}` }, { key: own })).body.id);
  }
  const read = async (query: string) =>
    (await service.call('GET', `/api/tasks?${query}`, undefined, { key: own })).body;
  const first = await read('limit=2');
  const second = await read(`limit=2&cursor=${first.next_cursor}`);
  const third = await read(`limit=2&cursor=${second.next_cursor}`);
  expect(third.next_cursor).toBeUndefined();
  const seen = [first, second, third].flatMap(({ tasks }) => tasks.map(({ id }: { id: string }) => id));
  expect(seen).toEqual(ids);
  expect((await read('limit=1&order=desc')).tasks[0].id).toBe(ids[4]);
});

it('takes commands of one task one after the other, so that no change of status is told twice', async () => {
  const { id } = (await service.call('POST', '/api/tasks', TASK)).body;
  await Promise.all(
    Array.from({ length: 8 }, () => service.call('PATCH', `/api/tasks/${id}`, { status: 'completed' })),
  );
  expect(service.events('task_status_changed').filter(({ data }) => data['task_id'] === id)).toHaveLength(1);
});
