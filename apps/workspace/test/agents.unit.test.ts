import { TestResponder } from './test-responder';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
const responder = new TestResponder();
beforeAll(async () => {
  service = await startWorkspace({ responder });
});
afterAll(() => service.stop());

const spawn = (body: object, agent = 'CLAUDE_CODE') => service.call('POST', `/api/agents/${agent}/spawn`, body);
const of = (sessionId: string) => (event: { data: Record<string, unknown> }) => event.data['session_id'] === sessionId;
const isIdle = (sessionId: string) =>
  until(async () => (await service.documents.find(1, 'run', sessionId)) === undefined || undefined);

it('lists the agents', async () => {
  const { body } = await service.call('GET', '/api/agents');
  expect(body.agents).toContainEqual({ id: 'CLAUDE_CODE' });
});

it('spawns an agent, whose answers and end are events of its session', async () => {
  const answer = await spawn({ prompt: 'pieces of work', workdir: '/path/to/project' }, 'claude_code');
  expect([answer.status, answer.body.status]).toEqual([200, 'spawned']);
  const { session_id } = answer.body;
  const completed = await service.event('agent_completed', of(session_id));
  expect(completed.data).toEqual({ agent_id: 'CLAUDE_CODE', session_id, success: true });
  const told = service.events().filter(of(session_id));
  expect(told.map(({ type }) => type)).toEqual([
    'agent_spawned',
    'session_message',
    'session_message',
    'agent_completed',
  ]);
  expect(told[0]?.data).toEqual({
    agent_id: 'CLAUDE_CODE',
    session_id,
    workdir: '/path/to/project',
    prompt: 'pieces of work',
    deadline_at: expect.any(Number),
  });
  await isIdle(session_id);
  expect((await service.call('GET', `/api/sessions/${session_id}`)).body.status).toBe('completed');
  const { body } = await service.call('GET', `/api/sessions/${session_id}/messages`);
  expect(body.messages.map(({ role, content }: { role: string; content: string }) => [role, content])).toEqual([
    ['user', 'pieces of work'],
    ['assistant', 'first piece'],
    ['assistant', 'CLAUDE_CODE received: pieces of work'],
  ]);
});

it('tells of a failure in the words of the responder', async () => {
  const { session_id } = (await spawn({ prompt: 'fail: no more credit' })).body;
  const failed = await service.event('agent_error', of(session_id));
  expect(failed.data).toEqual({ agent_id: 'CLAUDE_CODE', session_id, error: 'no more credit' });
  await isIdle(session_id);
  expect((await service.call('GET', `/api/sessions/${session_id}`)).body.status).toBe('failed');
});

it.each([
  ['broken', 'Internal error'],
  ['huge', 'A piece has at most 60000 characters'],
])('tells nothing of what is ours when a responder is %s', async (prompt, error) => {
  const { session_id } = (await spawn({ prompt })).body;
  expect((await service.event('agent_error', of(session_id))).data['error']).toBe(error);
});

it('answers an unknown agent by 404 and tells of it', async () => {
  const answer = await spawn({ prompt: 'hello', session_id: 'session-of-nobody' }, 'NOBODY');
  expect([answer.status, answer.body.code]).toEqual([404, 'not_found']);
  const failed = await service.event('agent_error', of('session-of-nobody'));
  expect(failed.data).toMatchObject({ agent_id: 'NOBODY', error: 'Unknown agent: NOBODY' });
});

it('does not fail a session by an unknown agent', async () => {
  const { id } = (await service.call('POST', '/api/sessions', {})).body;
  await spawn({ prompt: 'hello', session_id: id }, 'NOBODY2');
  await service.event('agent_error', ({ data }) => data['agent_id'] === 'NOBODY2');
  expect((await service.call('GET', `/api/sessions/${id}`)).body.status).toBe('active');
});

it('stops an agent: its responder is broken off and says nothing any more', async () => {
  const { session_id } = (await spawn({ prompt: 'wait for a stop' })).body;
  await until(() => responder.asked.find(({ prompt }) => prompt === 'wait for a stop'));
  const again = await spawn({ prompt: 'hello', session_id });
  expect([again.status, again.body.code]).toEqual([409, 'conflict']);
  const other = await service.call('POST', '/api/agents/AMP/stop', { session_id });
  expect(other.status).toBe(404);
  const stopped = await service.call('POST', '/api/agents/CLAUDE_CODE/stop', { session_id });
  expect([stopped.status, stopped.body]).toEqual([200, { session_id, status: 'cancelled' }]);
  expect(responder.aborted).toContain('wait for a stop');
  const ends = service.events().filter(of(session_id));
  expect(ends.map(({ type }) => type)).toEqual(['agent_spawned', 'agent_completed']);
  expect(ends[1]?.data).toMatchObject({ success: false });
  expect((await service.call('GET', `/api/sessions/${session_id}`)).body.status).toBe('cancelled');
  expect((await service.call('POST', '/api/agents/CLAUDE_CODE/stop', { session_id })).status).toBe(409);
});

it('shows an agent what was said in its session before', async () => {
  const { session_id } = (await spawn({ prompt: 'pieces one' })).body;
  await service.event('agent_completed', of(session_id));
  await isIdle(session_id);
  await spawn({ prompt: 'two', session_id });
  const asked = await until(() => responder.asked.find(({ prompt }) => prompt === 'two'));
  expect(asked.history.map(({ content }) => content)).toEqual([
    'pieces one',
    'first piece',
    'CLAUDE_CODE received: pieces one',
  ]);
  await until(() => service.events('agent_completed').filter(of(session_id)).length === 2 || undefined);
});

it.each([
  ['completed', true],
  ['cancelled', false],
])('ends the work in a session that is set to %s', async (status, success) => {
  const { session_id } = (await spawn({ prompt: `wait until ${status}` })).body;
  const patched = await service.call('PATCH', `/api/sessions/${session_id}`, { status });
  expect([patched.status, patched.body.status]).toEqual([200, status]);
  expect((await service.event('agent_completed', of(session_id))).data['success']).toBe(success);
  expect(responder.aborted).toContain(`wait until ${status}`);
});

it('ends the work in a session that is deleted', async () => {
  const { session_id } = (await spawn({ prompt: 'wait for the end' })).body;
  expect((await service.call('DELETE', `/api/sessions/${session_id}`)).body).toEqual({ deleted: session_id });
  const types = service
    .events()
    .filter(of(session_id))
    .map(({ type }) => type);
  expect(types).toEqual(['agent_spawned', 'agent_completed', 'session_deleted']);
  expect((await service.call('GET', `/api/sessions/${session_id}`)).status).toBe(404);
});
