import { TestResponder } from './test-responder';
import { startWorkspace, until, type WorkspaceService } from './workspace-service';

let service: WorkspaceService;
const responder = new TestResponder();
beforeAll(async () => {
  service = await startWorkspace({ responder });
});
afterAll(() => service.stop());

/** Due at no time of this test. */
const YEARLY = { cron: '0 0 1 1 *' };
const make = (job: object) => service.call('POST', '/api/cron', job);
const of = (jobId: string) => (event: { data: Record<string, unknown> }) => event.data['job_id'] === jobId;

it('makes a job whose id is its name, and tells of it', async () => {
  const made = await make({
    name: 'Nightly Report!',
    message: 'report',
    cron: '0 0 2 1 1 *',
    timezone: 'Europe/Berlin',
  });
  expect(made.status).toBe(201);
  expect(made.body).toMatchObject({
    id: 'nightly-report',
    job_type: 'agent',
    agent: 'main',
    enabled: true,
    catch_up: 'once',
    notifications: { in_app: true, system: false, channel_ids: [] },
  });
  const next = new Date(made.body.next_run_at);
  expect([next.getUTCMonth(), next.getUTCDate(), next.getUTCHours()]).toEqual([0, 1, 1]);
  expect((await service.event('cron_job_created')).data).toEqual({ job: made.body });
  const second = await make({ name: 'Nightly Report!', every: 100_000 });
  expect(second.body.id).toMatch(/^nightly-report-[0-9a-f-]{36}$/);
  expect((await make({ id: 'nightly-report', name: 'x', ...YEARLY })).status).toBe(409);
  const { jobs } = (await service.call('GET', '/api/cron')).body;
  expect(jobs).toEqual([made.body, second.body]);
});

it('runs a job when it is due, and says when it is due next (of the documented events: triggered, completed)', async () => {
  const before = Date.now();
  const { body: job } = await make({ name: 'each three seconds', message: 'work', every: 3 });
  const triggered = await service.event('cron_job_triggered', of(job.id));
  expect(triggered.data).toMatchObject({
    job_name: 'each three seconds',
    due_at: job.next_run_at,
    manual: false,
    missed: 0,
  });
  expect(triggered.data['triggered_at']).toBeGreaterThanOrEqual(before + 3_000);
  expect(triggered.data['next_run_at']).toBe(job.next_run_at + 3_000);
  const completed = await service.event('cron_job_completed', of(job.id));
  expect(completed.data).toEqual({
    job_id: job.id,
    job_name: 'each three seconds',
    job_type: 'agent',
    run_id: triggered.data['run_id'],
    status: 'success',
    duration_ms: expect.any(Number),
    output: 'main received: work',
    completed_at: expect.any(Number),
  });
  await service.call('DELETE', `/api/cron/${job.id}`);
  expect(service.events('cron_job_deleted').at(-1)?.data).toEqual({ job_id: job.id });
});

it('runs a job by hand while it is disabled', async () => {
  const { body: job } = await make({ name: 'by hand', message: 'now', enabled: false, ...YEARLY });
  expect(job.next_run_at).toBeNull();
  const ran = await service.call('POST', `/api/cron/${job.id}/run`);
  expect([ran.status, ran.body]).toEqual([
    200,
    { triggered: job.id, message: 'Job execution started', run_id: expect.any(String) },
  ]);
  const completed = await service.event('cron_job_completed', of(job.id));
  expect(completed.data['run_id']).toBe(ran.body.run_id);
  const after = await until(async () => {
    const { body } = await service.call('GET', `/api/cron/${job.id}`);
    return body.last_run?.status === 'success' ? body : undefined;
  });
  expect(after).toMatchObject({ enabled: false, next_run_at: null, last_run: { run_id: ran.body.run_id } });
});

it.each([
  [{ message: 'fail: no luck' }, 'no luck'],
  [{ agent: 'nobody', message: 'x' }, 'Unknown agent: nobody'],
])('tells of a run that fails', async (fields, error) => {
  const { body: job } = await make({ name: `fails by ${error}`, ...YEARLY, ...fields });
  const { run_id } = (await service.call('POST', `/api/cron/${job.id}/run`)).body;
  const failed = await service.event('cron_job_failed', of(job.id));
  expect(failed.data).toEqual({
    job_id: job.id,
    job_name: job.name,
    run_id,
    error,
    duration_ms: expect.any(Number),
    failed_at: expect.any(Number),
  });
});

it('counts from now when a job is enabled or gets another schedule', async () => {
  const { body: job } = await make({ name: 'changing', every: 100_000, enabled: false });
  const before = Date.now();
  const enabled = (await service.call('POST', `/api/cron/${job.id}/enable`)).body;
  expect(enabled.next_run_at).toBeGreaterThanOrEqual(before + 100_000_000);
  const patched = (
    await service.call('PATCH', `/api/cron/${job.id}`, { cron: '*/5 * * * *', notifications: { system: true } })
  ).body;
  expect(patched).toMatchObject({ cron: '*/5 * * * *', notifications: { in_app: true, system: true } });
  expect(patched).not.toHaveProperty('every');
  expect(patched.next_run_at - Date.now()).toBeLessThanOrEqual(300_000);
  const disabled = (await service.call('POST', `/api/cron/${job.id}/disable`)).body;
  expect(disabled).toMatchObject({ enabled: false, next_run_at: null });
});

it('refuses more enabled jobs than a workspace may have', async () => {
  const small = await startWorkspace({ responder, env: { SLUICE_CRON_JOBS_PER_WORKSPACE: '2' } });
  try {
    const create = (id: string, more = {}) => small.call('POST', '/api/cron', { id, name: id, ...YEARLY, ...more });
    const change = (method: 'POST' | 'PATCH', path: string, body?: object) =>
      small.call(method, `/api/cron/${path}`, body);
    const refusal = { status: 409, body: expect.objectContaining({ code: 'conflict' }) };
    for (const id of ['a', 'b']) expect((await create(id)).status).toBe(201);
    expect((await create('off', { enabled: false })).status).toBe(201);
    expect(await create('c')).toMatchObject(refusal);
    expect(await change('POST', 'off/enable')).toMatchObject(refusal);
    expect(await change('PATCH', 'off', { enabled: true })).toMatchObject(refusal);
    expect((await change('PATCH', 'a', { name: 'renamed', cron: '0 0 2 1 *' })).status).toBe(200);
    expect((await change('POST', 'a/disable')).status).toBe(200);
    expect((await change('POST', 'off/enable')).status).toBe(200);
    expect((await create('c')).body.error).toContain('most enabled cron jobs: 2');
  } finally {
    await small.stop();
  }
});

it.each([
  [{ ...YEARLY, every: 5 }, 'body'],
  [{}, 'body'],
  [{ cron: 'every day' }, 'body.cron'],
  [{ cron: '0 0 30 2 *' }, 'body.cron'],
  [{ cron: '* * * * * * 2030' }, 'body.cron'],
  [{ cron: '@daily' }, 'body.cron'],
  [{ ...YEARLY, timezone: 'Mars/Base' }, 'body.timezone'],
  [{ every: 5, timezone: 'UTC' }, 'body.timezone'],
  [{ every: 0 }, 'body.every'],
  [{ ...YEARLY, job_type: 'script', script: 'rm -rf /' }, 'body.job_type'],
])('refuses %j', async (fields, where) => {
  const answer = await make({ name: 'bad', ...fields });
  expect([answer.status, answer.body.code, answer.body.where]).toEqual([400, 'invalid_request', where]);
});
