import type { Answer } from '@sluice/engine/conformance';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';
import { TestResponder } from './test-responder';

let service: WorkspaceService;
beforeEach(async () => {
  const env = { SLUICE_WORKSPACE_PROJECTION_WAIT: '200ms', SLUICE_CRON_POLL_INTERVAL: '10s' };
  service = await startWorkspace({ responder: new TestResponder(), env });
});
afterEach(async () => {
  service.projection.resume();
  await service.stop();
});

/** Makes something, which can be read then. */
function made(path: string, json: unknown): Promise<Answer['body']> {
  const headers = { 'idempotency-key': path };
  return until(async () => {
    const { status, body } = await service.call('POST', path, json, { headers });
    return status === 201 ? body : undefined;
  });
}

const refusal = [503, 'overloaded', '1'];
const told = ({ status, body, headers }: Awaited<ReturnType<WorkspaceService['call']>>) => [
  status,
  body.code,
  headers['retry-after'],
];

it('takes no change on a state that lacks an earlier one', async () => {
  await made('/api/cron', { id: 'e', name: 'e', message: 'm', every: 100_000 });
  service.projection.pause();
  expect((await service.call('PATCH', '/api/cron/e', { message: 'changed' })).status).toBe(202);
  expect(told(await service.call('PATCH', '/api/cron/e', { name: 'renamed' }))).toEqual(refusal);
  expect((await service.call('POST', '/api/cron', { id: 'f', name: 'f', every: 100_000 })).status).toBe(202);
  service.projection.resume();
  const renamed = await until(async () => {
    const answer = await service.call('PATCH', '/api/cron/e', { name: 'renamed' });
    return answer.status === 200 ? answer : undefined;
  });
  expect(renamed.body).toMatchObject({ message: 'changed', name: 'renamed' });
});

it('takes a change as soon as the earlier one can be read', async () => {
  await service.stop();
  service = await startWorkspace({ env: { SLUICE_WORKSPACE_PROJECTION_WAIT: '1s' } });
  const { id } = await made('/api/tasks', { title: 'x' });
  service.projection.pause();
  expect((await service.call('PATCH', `/api/tasks/${id}`, { status: 'done' })).status).toBe(202);
  const waiting = service.call('PATCH', `/api/tasks/${id}`, { title: 'y' });
  service.projection.resume();
  const { status, body } = await waiting;
  expect([status, body.status, body.title]).toEqual([200, 'done', 'y']);
});

it('lets one agent work in a session', async () => {
  const { id: session_id } = await made('/api/sessions', {});
  service.projection.pause();
  const spawn = (prompt: string) => service.call('POST', '/api/agents/AMP/spawn', { prompt, session_id });
  expect((await spawn('wait one')).status).toBe(202);
  expect(told(await spawn('wait two'))).toEqual(refusal);
  service.projection.resume();
  await until(async () => (await spawn('wait three')).status === 409 || undefined);
  expect(service.events('agent_spawned')).toHaveLength(1);
});

it('refuses all who wait for one thing at about the same time', async () => {
  service.projection.pause();
  const { id } = (await service.call('POST', '/api/tasks', { title: 'x' })).body;
  // One after the other they would take longer than the time of a test.
  const patches = Array.from({ length: 250 }, () => service.call('PATCH', `/api/tasks/${id}`, { title: 'y' }));
  expect((await Promise.all(patches)).map(({ status }) => status)).toEqual(patches.map(() => 503));
});

it('takes what is said in a session before what was said can be read', async () => {
  const { id } = await made('/api/sessions', {});
  service.projection.pause();
  const say = (content: string) => service.call('POST', `/api/sessions/${id}/message`, { content });
  const answers = await Promise.all(['a', 'b', 'c', 'd', 'e'].map(say));
  expect(answers.map(({ status }) => status)).toEqual(Array(5).fill(202));
  service.projection.resume();
  await until(
    async () => (await service.call('GET', `/api/sessions/${id}/messages`)).body.messages.length === 5 || undefined,
  );
});

it('runs what is known to be its own while commands with keys wait until that is known', async () => {
  await service.stop();
  const responder = new TestResponder();
  const env = { SLUICE_WORKSPACE_PROJECTION_WAIT: '100ms', SLUICE_RUN_CONCURRENCY: '1' };
  service = await startWorkspace({ responder, env });
  service.projection.pause();
  const spawn = (prompt: string, headers = {}) =>
    service.call('POST', '/api/agents/AMP/spawn', { prompt }, { headers });
  expect((await spawn('keyed', { 'idempotency-key': 'k' })).status).toBe(202);
  expect((await spawn('free')).status).toBe(202);
  await until(() => responder.asked.find(({ prompt }) => prompt === 'free'));
  expect(responder.asked.map(({ prompt }) => prompt)).toEqual(['free']);
  service.projection.resume();
  await until(() => responder.asked.find(({ prompt }) => prompt === 'keyed'));
});
