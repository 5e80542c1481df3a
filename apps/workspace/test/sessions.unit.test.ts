import { startWorkspace, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
beforeAll(async () => {
  service = await startWorkspace();
});
afterAll(() => service.stop());

it('makes, changes, lists and deletes sessions, and tells of each', async () => {
  const made = await service.call('POST', '/api/sessions', { title: 'Talk', agent_id: 'AMP' });
  expect(made.status).toBe(201);
  const { id } = made.body;
  expect(made.body).toMatchObject({ title: 'Talk', agent_id: 'AMP', status: 'active' });
  const patched = await service.call('PATCH', `/api/sessions/${id}`, { title: 'Other' });
  expect(patched.body).toMatchObject({ id, title: 'Other', agent_id: 'AMP', status: 'active' });
  expect((await service.call('GET', '/api/sessions')).body.sessions).toEqual([patched.body]);
  await service.call('DELETE', `/api/sessions/${id}`);
  expect(service.events().map(({ type }) => type)).toEqual(['session_created', 'session_updated', 'session_deleted']);
  expect((await service.call('GET', `/api/sessions/${id}`)).status).toBe(404);
});

it('takes an id once', async () => {
  expect((await service.call('POST', '/api/sessions', { id: 'mine' })).status).toBe(201);
  expect((await service.call('POST', '/api/sessions', { id: 'mine' })).status).toBe(409);
});

it('takes messages while a session is active', async () => {
  const { id } = (await service.call('POST', '/api/sessions', {})).body;
  const said = await service.call('POST', `/api/sessions/${id}/message`, { content: 'line\nline' });
  expect([said.status, said.body]).toEqual([
    200,
    { session_id: id, status: 'message_sent', message_id: expect.any(String) },
  ]);
  const { data } = await service.event('session_message');
  expect(data).toMatchObject({ session_id: id, role: 'user', content: 'line\nline' });
  const { messages } = (await service.call('GET', `/api/sessions/${id}/messages`)).body;
  expect(messages).toMatchObject([{ id: said.body.message_id, role: 'user', content: 'line\nline' }]);
  await service.call('PATCH', `/api/sessions/${id}`, { status: 'completed' });
  expect((await service.call('POST', `/api/sessions/${id}/message`, { content: 'late' })).status).toBe(400);
});
