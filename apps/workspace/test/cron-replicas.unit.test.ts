import { removeOldest } from '@sluice/event-log/conformance';
import type { CronJob } from '@sluice/event-schema';
import { MAX_DUE_DOCUMENTS } from '@sluice/projections';
import { draftOf } from '../src/journal/workspace-draft';
import { Replicas, seededRandom, START_MS, type Replica } from './replicas';
import { until } from './workspace-service';

let replicas: Replicas;
beforeEach(async () => {
  replicas = await Replicas.open();
});
afterEach(() => replicas.close());

const DUE_TIMES = 200;
const OUTCOMES = ['cron_job_completed', 'cron_job_failed'] as const;

const runIds = (...types: Parameters<Replicas['recorded']>) =>
  replicas.recorded(...types).map(({ data }) => data['run_id'] as string);

const dueTimesOf = (jobId: string) =>
  replicas
    .recorded('cron_job_triggered')
    .filter(({ data }) => data['job_id'] === jobId)
    .map(({ data }) => data['due_at'] as number);

const seconds = (count: number) => Array.from({ length: count }, (_, n) => START_MS + (n + 1) * 1_000);

it.each([1, 2])(
  'triggers each of 200 due times once over two replicas that crash at random points (seed %i)',
  async (seed) => {
    const random = seededRandom(seed);
    const begun: string[] = [];
    const crashed: Replica[] = [];
    const alive = [await replicas.start(), await replicas.start()];
    const [first] = alive;
    if (!first) throw new Error('no replica');
    await replicas.addJob(first, { id: 'each-second' });
    await replicas.addJob(first, { id: 'once', catch_up: 'once' });
    await replicas.addJob(first, { id: 'by-cron', cron: '* * * * * *' });
    const pollAll = () =>
      Promise.all(alive.map(({ scheduler, reaper }) => Promise.all([scheduler.poll(), reaper.poll()])));
    while (replicas.clock.nowMs < START_MS + DUE_TIMES * 1_000) {
      replicas.clock.nowMs += random() < 0.2 ? 3_000 : 1_000;
      replicas.clock.nowMs = Math.min(replicas.clock.nowMs, START_MS + DUE_TIMES * 1_000);
      for (const { log } of alive) if (random() < 0.2) log.dieAt(1 + Math.floor(random() * 8), random() < 0.5);
      if (random() < 0.5) alive.reverse();
      await pollAll();
      for (const [index, replica] of alive.entries()) {
        if (!replica.log.isDead) continue;
        crashed.push(replica);
        alive[index] = await replicas.start();
      }
    }
    for (const { log } of alive) log.dieAt(Infinity, false);
    await pollAll();
    // Past every deadline, so that what the dead left is ended for them; no due time comes by it.
    const documents = await replicas.engine.workspaceDocuments();
    for (const id of ['each-second', 'once', 'by-cron']) {
      const job = (await documents.find(1, 'cron_job', id))?.fields;
      expect(job?.['next_run_at']).toBe(START_MS + (DUE_TIMES + 1) * 1_000);
    }
    replicas.clock.nowMs += 3_600_000;
    await until(async () => {
      await Promise.all(alive.map(({ reaper }) => reaper.poll()));
      return (
        (await documents.due({ kind: 'run', dueBefore: Number.MAX_SAFE_INTEGER, limit: 10 })).length === 0 || undefined
      );
    });

    expect(dueTimesOf('each-second').sort((a, b) => a - b)).toEqual(seconds(DUE_TIMES));
    expect(dueTimesOf('by-cron').sort((a, b) => a - b)).toEqual(seconds(DUE_TIMES));
    const once = dueTimesOf('once');
    expect(new Set(once).size).toBe(once.length);
    // Every run that is on record ended once, and no run was executed twice.
    expect(runIds(...OUTCOMES).sort()).toEqual(runIds('cron_job_triggered').sort());
    for (const replica of [...alive, ...crashed]) begun.push(...replica.begun);
    expect(new Set(begun).size).toBe(begun.length);
    const triggered = new Set(runIds('cron_job_triggered'));
    expect(begun.every((runId) => triggered.has(runId))).toBe(true);
    // A run that was not executed is one whose process died between taking it and beginning it.
    expect(triggered.size - begun.length).toBeLessThanOrEqual(crashed.length * 3);
    expect(crashed.length).toBeGreaterThan(10);
  },
);

it('runs each due time exactly once over two replicas that stay alive', async () => {
  const [one, two] = [await replicas.start(), await replicas.start()];
  await replicas.addJob(one, { id: 'each-second' });
  for (const nowMs of seconds(DUE_TIMES)) {
    replicas.clock.nowMs = nowMs;
    await Promise.all([one.scheduler.poll(), two.scheduler.poll()]);
  }
  expect(dueTimesOf('each-second')).toEqual(seconds(DUE_TIMES));
  expect([...one.begun, ...two.begun].sort()).toEqual(runIds('cron_job_triggered').sort());
  await until(() => runIds('cron_job_completed').length === DUE_TIMES || undefined);
  expect(runIds('cron_job_failed')).toEqual([]);
});

it('begins no run whose due time an earlier process of the same replica took', async () => {
  const before = await replicas.start();
  await replicas.addJob(before, { id: 'job' });
  // It dies after the event was stored, before it knows.
  before.log.dieAt(1, true);
  replicas.clock.nowMs = START_MS + 1_000;
  await before.scheduler.poll();
  const after = await replicas.start();
  await after.scheduler.poll();
  expect(dueTimesOf('job')).toEqual([START_MS + 1_000]);
  expect([before.begun, after.begun]).toEqual([[], []]);
});

it('moves a job on that an overtaken change put back to a due time that has its run', async () => {
  const replica = await replicas.start();
  const job = await replicas.addJob(replica, { id: 'job' });
  replicas.clock.nowMs = START_MS + 1_500;
  await replica.scheduler.poll();
  await replica.journal.append({ workspaceId: 1 }, [draftOf('cron_job_updated', { job: { ...job, name: 'renamed' } })]);
  await replica.scheduler.poll();
  await replica.scheduler.poll();
  const documents = await replicas.engine.workspaceDocuments();
  expect((await documents.find(1, 'cron_job', 'job'))?.fields).toMatchObject({
    name: 'renamed',
    next_run_at: START_MS + 2_000,
  });
  expect(dueTimesOf('job')).toEqual([START_MS + 1_000]);
  expect(replica.begun).toHaveLength(1);
});

it('fires no due time again that was taken by an event which is not kept any more, and moves the job on', async () => {
  const before = await replicas.start();
  const job = await replicas.addJob(before, { id: 'job' });
  replicas.clock.nowMs = START_MS + 1_500;
  await before.scheduler.poll();
  await until(() => runIds('cron_job_completed').length === 1 || undefined);
  await removeOldest(await replicas.engine.eventRetention(), Infinity, { family: 'workspace' });
  // Put back to the due time that has its run.
  await before.journal.append({ workspaceId: 1 }, [draftOf('cron_job_updated', { job })]);
  const after = await replicas.start({ claimWaitMs: 100 });
  await after.scheduler.poll();
  const documents = await replicas.engine.workspaceDocuments();
  expect((await documents.find(1, 'cron_job', 'job'))?.fields['next_run_at']).toBe(START_MS + 2_000);
  expect(after.begun).toEqual([]);
  replicas.clock.nowMs = START_MS + 2_000;
  await after.scheduler.poll();
  expect(after.begun).toHaveLength(1);
});

it('runs what it took when that comes to light late, and once', async () => {
  const replica = await replicas.start({ claimWaitMs: 5 });
  await replicas.addJob(replica, { id: 'job' });
  replicas.clock.nowMs = START_MS + 1_000;
  replicas.projection.pause();
  await replica.scheduler.poll();
  replicas.clock.nowMs += 100;
  await replica.scheduler.poll();
  replicas.projection.resume();
  await until(() => runIds('cron_job_completed').length === 1 || undefined);
  await replica.scheduler.poll();
  expect(runIds('cron_job_completed')).toEqual(runIds('cron_job_triggered'));
  expect(dueTimesOf('job')).toEqual([START_MS + 1_000]);
});

it('takes up more jobs in one look than a page of due ones has', async () => {
  const replica = await replicas.start();
  const ids = Array.from({ length: MAX_DUE_DOCUMENTS + 20 }, (_, n) => `job-${n}`);
  await Promise.all(ids.map((id) => replicas.addJob(replica, { id })));
  replicas.clock.nowMs = START_MS + 1_000;
  await replica.scheduler.poll();
  expect(replicas.recorded('cron_job_triggered')).toHaveLength(ids.length);
});

it('takes no due time by a schedule that lacks a change of this process', async () => {
  const replica = await replicas.start();
  const job = await replicas.addJob(replica, { id: 'job' });
  replicas.clock.nowMs = START_MS + 1_000;
  replicas.projection.pause();
  const disabled = draftOf('cron_job_updated', { job: { ...job, enabled: false, next_run_at: null } });
  await replica.journal.append({ workspaceId: 1 }, [disabled], 1);
  await replica.scheduler.poll();
  replicas.projection.resume();
  await until(() => replica.journal.hasCaughtUp(1, 'cron/job', 0));
  await replica.scheduler.poll();
  expect(replicas.recorded('cron_job_triggered')).toEqual([]);
});

const hangingResponder = () => ({
  respond: () => ({ [Symbol.asyncIterator]: () => ({ next: () => new Promise<never>(() => undefined) }) }),
});

it('leaves a job due while this process has no room', async () => {
  const full = await replicas.start({ responder: hangingResponder(), runs: { concurrency: 1, queue: 0 } });
  await replicas.addJob(full, { id: 'a' });
  await replicas.addJob(full, { id: 'b' }, 2);
  replicas.clock.nowMs = START_MS + 1_000;
  expect(await full.scheduler.poll()).toBe(false);
  expect(await full.scheduler.poll()).toBe(false);
  expect(full.begun).toHaveLength(1);
  const other = await replicas.start();
  await other.scheduler.poll();
  expect([...full.begun, ...other.begun].sort()).toEqual(runIds('cron_job_triggered').sort());
  expect(other.begun).toHaveLength(1);
  await full.executor.stop();
});

it('leaves the jobs of a workspace due that has its most runs, and takes those of others', async () => {
  const narrow = await replicas.start({ responder: hangingResponder(), runs: { perWorkspace: 1 } });
  for (const id of ['a', 'b', 'c']) await replicas.addJob(narrow, { id });
  await replicas.addJob(narrow, { id: 'other', next_run_at: START_MS + 1_500 }, 2);
  replicas.clock.nowMs = START_MS + 2_000;
  await narrow.scheduler.poll();
  await narrow.scheduler.poll();
  const triggered = replicas.recorded('cron_job_triggered').map(({ workspaceId }) => workspaceId);
  expect(triggered.sort()).toEqual([1, 2]);
  expect(replicas.recorded('cron_job_failed')).toEqual([]);
  await narrow.executor.stop();
});

it('takes the due times of all workspaces in turns, and at once what one page does not hold (G9)', async () => {
  const replica = await replicas.start({ runs: { queue: 10_000, perWorkspace: 10_000 } });
  await Promise.all(Array.from({ length: 620 }, (_, n) => replicas.addJob(replica, { id: `flood-${n}` })));
  await replicas.addJob(replica, { id: 'calm', next_run_at: START_MS + 1_900 }, 2);
  replicas.clock.nowMs = START_MS + 1_950;
  expect(await replica.scheduler.poll()).toBe(true);
  const triggered = () => replicas.recorded('cron_job_triggered').map(({ data }) => data['job_id']);
  expect(triggered()).toHaveLength(500);
  expect(triggered().indexOf('calm')).toBeLessThan(100);
  expect(await replica.scheduler.poll()).toBe(false);
  expect(new Set(triggered()).size).toBe(621);
});

it.each<[string, Partial<CronJob>, number | null]>([
  ['another schedule', { every: 100 }, START_MS + 101_000],
  ['being disabled', { enabled: false }, null],
])('keeps %s that another replica wrote just before the due time was taken', async (_, change, waitsFor) => {
  const [one, two] = [await replicas.start(), await replicas.start()];
  const job = await replicas.addJob(one, { id: 'job' });
  replicas.clock.nowMs = START_MS + 1_000;
  one.log.before = () => {
    const changed = { ...job, ...change, next_run_at: change.enabled === false ? null : START_MS + 101_000 };
    return two.journal.append({ workspaceId: 1 }, [draftOf('cron_job_updated', { job: changed })]);
  };
  await one.scheduler.poll();
  expect(dueTimesOf('job')).toEqual([START_MS + 1_000]);
  const documents = await replicas.engine.workspaceDocuments();
  expect((await documents.find(1, 'cron_job', 'job'))?.fields).toMatchObject({ ...change, next_run_at: waitsFor });
});
