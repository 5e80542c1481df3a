import { MemoryReadModel, SluiceError, type EventRetention, type RetentionStep } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { createRetentionWorker, type RetentionWorkerOptions } from '../src/retention/retention-worker';
import { envelope, range, TestSignals } from './tools';

describe('the worker of retention', () => {
  const POLICY = { workspaceId: 'default', family: 'sandbox', maxAgeMs: 1 } as const;
  const BOUNDS = { maxEvents: 3, maxBytes: 1_000_000, maxScanned: 10 };
  let model: MemoryReadModel;
  let test: TestSignals;
  beforeEach(() => {
    model = new MemoryReadModel();
    test = new TestSignals();
  });

  const start = (retention: Pick<EventRetention, 'claim'>, options: Partial<RetentionWorkerOptions> = {}) => {
    const worker = createRetentionWorker({
      ...{ retention, signals: test.signals, holder: 'a', pollIntervalMs: 5, pauseMs: 0, bounds: BOUNDS },
      ...options,
    });
    void worker.start();
    return worker;
  };
  const fill = (count: number) =>
    model.record({ envelopes: range(1, count).map(() => envelope()), parked: [], checkpoints: new Map() });
  const keptEvents = async () => (await model.read({ filter: { workspaceIds: [1] }, limit: 1_000 })).events.length;

  it('removes what is too old in small steps, and tells how much', async () => {
    await fill(10);
    await model.retention.setPolicy(POLICY);
    const worker = start(model.retention);
    await until(async () => (await keptEvents()) === 0, 'all is removed');
    await fill(2);
    await until(async () => (await keptEvents()) === 0, 'what came later is removed as well');
    await worker.stop();
    expect(await test.value('sluice_retention_removed_events_total{family="sandbox"}')).toBe(12);
    expect(await test.value('sluice_retention_active')).toBe(0);
    // The right was given back.
    expect(await model.retention.claim('another', 1)).toBeDefined();
  });

  it('ends between two steps, and another one goes on from there (G6)', async () => {
    await fill(30);
    await model.retention.setPolicy(POLICY);
    let steps = 0;
    const claimed: string[] = [];
    const counting: Pick<EventRetention, 'claim'> = {
      claim: async (holder, leaseMs) => {
        const work = await model.retention.claim(holder, leaseMs);
        if (work) claimed.push(holder);
        return work && { ...work, step: (bounds) => (steps++, work.step(bounds)) };
      },
    };
    const first = start(counting, { pauseMs: 60_000 });
    await until(() => steps === 1, 'the first step is done');
    await first.stop();
    expect(await keptEvents()).toBeGreaterThan(0);
    const second = start(counting, { holder: 'b' });
    await until(async () => (await keptEvents()) === 0, 'all is removed');
    await second.stop();
    expect([claimed[0], claimed[1]]).toEqual(['a', 'b']);
  });

  it('tells what is overdue while it is at it, and nothing when another one is', async () => {
    await fill(30);
    await model.retention.setPolicy(POLICY);
    const worker = start(model.retention, { pauseMs: 60_000 });
    await until(async () => (await test.value('sluice_retention_due_policies')) === 1, 'it is at it');
    expect(await test.value('sluice_retention_overdue_seconds')).toBeGreaterThanOrEqual(0);
    const asked = start({ claim: async () => undefined });
    await until(async () => (await test.value('sluice_retention_due_policies')) === 0, 'another one is at it');
    await asked.stop();
    await worker.stop();
  });

  it('removes nothing while the clocks differ, and says so', async () => {
    const step = async () => ({ kind: 'clocks_differ', byMs: -70_000 }) as const;
    const backlog = () => ({ policies: 0, overdueMs: 0 });
    let released = 0;
    const worker = start({
      claim: async () => ({ step, backlog, renew: async () => undefined, release: async () => void released++ }),
    });
    await until(() => released > 1, 'it looks again');
    await worker.stop();
    expect(await test.value('sluice_retention_refusals_total')).toBe(released);
    expect(test.logged('removes nothing while the clocks differ')[0]).toMatchObject({ databaseAheadMs: -70_000 });
  });

  it('leaves it to whoever took it over, and survives faults', async () => {
    const outcomes: (RetentionStep | Error)[] = [
      new SluiceError('conflict', 'Somebody else removes what is too old'),
      new SluiceError('read_model_unavailable', 'The read model cannot be reached'),
      { kind: 'waiting' },
      { kind: 'done' },
    ];
    let claims = 0;
    const backlog = () => ({ policies: 0, overdueMs: 0 });
    const worker = start({
      claim: async () => {
        claims++;
        const outcome = outcomes.shift() ?? { kind: 'done' };
        const step = () => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome));
        return { step, backlog, renew: async () => undefined, release: async () => undefined };
      },
    });
    await until(() => claims > 5, 'it goes on');
    await worker.stop();
    expect(await test.value('sluice_projector_faults_total{place="retention"}')).toBe(1);
  });
});
