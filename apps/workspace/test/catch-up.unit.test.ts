import { SluiceError } from '@sluice/event-log';
import { Replicas, START_MS, type Replica } from './replicas';
import { TestResponder } from './test-responder';
import { until } from './workspace-service';

let replicas: Replicas;
let replica: Replica;
beforeEach(async () => {
  replicas = await Replicas.open();
  replica = await replicas.start();
});
afterEach(() => replicas.close());

const at = (second: number) => START_MS + second * 1_000;

/** What was triggered after the replicas were away until a second. */
async function triggeredAfter(second: number) {
  replicas.clock.nowMs = at(second);
  await replica.scheduler.poll();
  return replicas
    .recorded('cron_job_triggered')
    .map(({ data: { due_at, missed, next_run_at } }) => [due_at, missed, next_run_at]);
}

const waitsFor = async (id: string) =>
  (await (await replicas.engine.workspaceDocuments()).find(1, 'cron_job', id))?.fields['next_run_at'];

it('runs once for the newest missed due time, and says how many had none', async () => {
  await replicas.addJob(replica, { id: 'job', catch_up: 'once' });
  expect(await triggeredAfter(3_600.4)).toEqual([[at(3_600), 1_099, at(3_601)]]);
  await until(() => replicas.recorded('cron_job_completed').length === 1 || undefined);
});

it('runs each missed due time, in order', async () => {
  await replicas.addJob(replica, { id: 'job', catch_up: 'all', cron: '*/2 * * * * *', next_run_at: at(2) });
  expect(await triggeredAfter(7)).toEqual([
    [at(2), 0, at(4)],
    [at(4), 0, at(6)],
    [at(6), 0, at(8)],
  ]);
});

it('runs at most the hundred newest of them', async () => {
  await replicas.addJob(replica, { id: 'job', catch_up: 'all' });
  const triggered = await triggeredAfter(250);
  expect(triggered).toHaveLength(100);
  expect([triggered[0], triggered[99]]).toEqual([
    [at(151), 150, at(152)],
    [at(250), 0, at(251)],
  ]);
});

it('runs none of them where they are skipped, and goes on', async () => {
  await replicas.addJob(replica, { id: 'job', catch_up: 'skip', every: 3_600, next_run_at: at(10) });
  expect(await triggeredAfter(1_000)).toEqual([]);
  expect(await waitsFor('job')).toBe(at(3_610));
  // Somewhat late is on time.
  expect(await triggeredAfter(3_620)).toEqual([[at(3_610), 0, at(7_210)]]);
});

it('runs a due time that only waited for its turn, where late ones are skipped', async () => {
  const responder = new TestResponder();
  const narrow = await replicas.start({ runs: { concurrency: 1, queue: 0 }, responder });
  await replicas.addJob(narrow, { id: 'first', every: 100_000, message: 'wait' });
  await replicas.addJob(narrow, { id: 'job', catch_up: 'skip', every: 3_600, next_run_at: at(10) });
  for (let second = 1; second <= 100; second += 9) {
    replicas.clock.nowMs = at(second);
    await narrow.scheduler.poll();
  }
  expect(await waitsFor('job')).toBe(at(10));
  responder.release();
  await until(async () => {
    await narrow.scheduler.poll();
    return (await waitsFor('job')) !== at(10) || undefined;
  });
  const [, triggered] = replicas.recorded('cron_job_triggered');
  expect(triggered?.data).toMatchObject({ job_id: 'job', due_at: at(10), missed: 0 });
});

it.each([
  ['looked again after a break', []],
  ['could take due times again', [40, 60]],
])('skips what fell due too long before this process %s', async (_, failingAt) => {
  await replicas.addJob(replica, { id: 'job', catch_up: 'skip', every: 3_600, next_run_at: at(40) });
  await triggeredAfter(20);
  for (const second of failingAt) {
    replica.log.before = () => Promise.reject(new SluiceError('log_unavailable', 'away'));
    await triggeredAfter(second);
  }
  expect(await triggeredAfter(80)).toEqual([]);
  expect(await waitsFor('job')).toBe(at(3_640));
});

it('counts as missed what has no run, and no more, where the projector was behind', async () => {
  const late = await replicas.start({ claimWaitMs: 5 });
  await replicas.addJob(late, { id: 'job', catch_up: 'once' });
  replicas.projection.pause();
  for (const second of [1, 4, 9]) {
    replicas.clock.nowMs = at(second);
    await late.scheduler.poll();
  }
  replicas.projection.resume();
  await until(async () => {
    await late.scheduler.poll();
    return (await waitsFor('job')) === at(10) || undefined;
  });
  const triggered = replicas.recorded('cron_job_triggered');
  const missed = triggered.reduce((sum, { data }) => sum + Number(data['missed']), 0);
  expect([triggered.at(-1)?.data['due_at'], missed + triggered.length]).toEqual([at(9), 9]);
});

it('says that a schedule of the past is over', async () => {
  await replicas.addJob(replica, { id: 'job', cron: '0 0 0 29 2 *', next_run_at: at(1) });
  await triggeredAfter(2);
  expect(await waitsFor('job')).toBe(Date.UTC(2028, 1, 29));
});

it('does not run what is disabled, of all kinds', async () => {
  for (const catch_up of ['once', 'all', 'skip'] as const) {
    await replicas.addJob(replica, { id: catch_up, catch_up, enabled: false });
  }
  expect(await triggeredAfter(100)).toEqual([]);
});

it('fails a stored script job, as there is no sandbox runner', async () => {
  await replicas.addJob(replica, { id: 'job', job_type: 'script', script: 'ls' });
  await triggeredAfter(1);
  const failed = await until(() => replicas.recorded('cron_job_failed')[0]);
  expect(failed.data['error']).toBe('Script jobs are refused: no sandbox runner is configured');
});
