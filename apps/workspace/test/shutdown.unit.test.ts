import { TestResponder } from './test-responder';
import { startReplica, startWorkspace, until } from './workspace-service';

it('breaks off what runs and waits at a shutdown, and each has its outcome', async () => {
  const responder = new TestResponder();
  const service = await startWorkspace({
    responder,
    env: { SLUICE_RUN_CONCURRENCY: '1', SLUICE_DRAIN_TIMEOUT: '10m' },
  });
  const sessions: string[] = [];
  for (const prompt of ['wait one', 'wait two']) {
    sessions.push((await service.call('POST', '/api/agents/AMP/spawn', { prompt })).body.session_id);
  }
  await service.call('POST', '/api/cron', { id: 'job', name: 'job', message: 'wait three', every: 100_000 });
  await service.call('POST', '/api/cron/job/run');
  await until(() => responder.asked.length === 1 || undefined);
  await service.stop();
  const error = 'The process that ran it was shutting down';
  const failed = service.events('agent_error').map(({ data }) => data);
  expect(failed).toHaveLength(sessions.length);
  expect(failed).toEqual(
    expect.arrayContaining(sessions.map((session_id) => ({ agent_id: 'AMP', session_id, error }))),
  );
  expect(service.events('cron_job_failed')).toMatchObject([{ data: { job_id: 'job', error } }]);
  expect(responder.aborted).toEqual(['wait one']);
});

it('answers 503 when too many runs wait, and writes nothing about those', async () => {
  const responder = new TestResponder();
  const env = { SLUICE_RUN_CONCURRENCY: '1', SLUICE_RUN_QUEUE: '1' };
  const service = await startWorkspace({ responder, env });
  try {
    const spawn = () => service.call('POST', '/api/agents/AMP/spawn', { prompt: 'wait' });
    expect([(await spawn()).status, (await spawn()).status]).toEqual([200, 200]);
    const refused = await spawn();
    expect([refused.status, refused.body.code, refused.headers['retry-after']]).toEqual([503, 'overloaded', '1']);
    expect(service.events('agent_spawned')).toHaveLength(2);
    expect(await service.metrics()).toMatch(/sluice_workspace_runs_refused_total\{reason="queue"\} 1/);
    responder.release();
    await until(() => service.events('agent_completed').length === 2 || undefined);
    expect((await spawn()).status).toBe(200);
    await until(() => service.events('agent_completed').length === 3 || undefined);
    await until(async () => (await service.metrics()).includes('kind="agent",outcome="succeeded"} 3') || undefined);
  } finally {
    await service.stop();
  }
});

it('ends a run at its deadline', async () => {
  const responder = new TestResponder();
  const service = await startWorkspace({ responder, env: { SLUICE_RUN_TIMEOUT: '100ms' } });
  try {
    await service.call('POST', '/api/agents/AMP/spawn', { prompt: 'wait' });
    expect((await service.event('agent_error')).data['error']).toBe('It took too long');
    expect(responder.aborted).toEqual(['wait']);
  } finally {
    await service.stop();
  }
});

it('breaks off a run that another process stops', async () => {
  const responder = new TestResponder();
  const service = await startWorkspace({ responder });
  try {
    const { session_id } = (await service.call('POST', '/api/agents/AMP/spawn', { prompt: 'wait' })).body;
    await until(() => responder.asked[0]);
    // It knows of the run by what is on record only.
    const other = await startReplica(service, { responder });
    const stopped = await other.call('POST', '/api/agents/AMP/stop', { session_id });
    expect([stopped.status, stopped.body.status]).toEqual([200, 'cancelled']);
    await until(() => responder.aborted[0]);
    await other.stop();
    const ends = service.events().filter(({ type }) => type === 'agent_completed' || type === 'agent_error');
    expect(ends.map(({ data }) => data)).toEqual([{ agent_id: 'AMP', session_id, success: false }]);
  } finally {
    await service.stop();
  }
});
