import {
  MemoryDurableLog,
  MemoryReadModel,
  SluiceError,
  type Lane,
  type RebuildPositions,
  type RebuildWork,
} from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { RebuildRun, type RebuildRunOptions } from '../src/rebuild/rebuild-run';
import { envelope, range, TestSignals } from './tools';

const LANE = 0 as Lane;

/** A live model that has handled more than the log has at its end, as after the loss of its last records. */
describe('the run of a rebuild', () => {
  let log: MemoryDurableLog;
  let model: MemoryReadModel;
  let test: TestSignals;
  let ending: AbortController;
  beforeEach(async () => {
    log = new MemoryDurableLog({ lanes: 1 });
    model = new MemoryReadModel();
    test = new TestSignals();
    ending = new AbortController();
    const envelopes = range(1, 5).map(() => envelope());
    await log.append(envelopes);
    await model.record({ envelopes, parked: [], checkpoints: new Map([[LANE, { from: 0, to: 5 }]]) });
  });
  afterEach(() => log.close());

  const claim = async (positions: RebuildPositions): Promise<RebuildWork> => {
    await model.rebuilds.request({ positions, dropOld: false });
    const work = await model.rebuilds.claim('a', 60_000);
    if (!work) throw new Error('there is nothing to build');
    return work;
  };
  const run = (work: RebuildWork, options: Partial<RebuildRunOptions> = {}) =>
    new RebuildRun({
      ...{ work, durableLog: log, signals: test.signals, signal: ending.signal, maxBatchRecords: 10, leaseMs: 60_000 },
      ...{ settleMs: 50, nextAttemptMs: 50 },
      ...options,
    }).run();
  const handleBeyondTheEnd = () =>
    model.record({ envelopes: [], parked: [], checkpoints: new Map([[LANE, { from: 5, to: 8 }]]) });

  it.each(['keep', 'renumber'] as const)(
    'takes records that the log does not have for nothing, when two attempts in turn ended with them: %s',
    async (positions) => {
      await handleBeyondTheEnd();
      expect(await run(await claim(positions))).toBe('switched');
      expect(await model.rebuilds.status()).toMatchObject({ state: 'switched', attempts: 1 });
      expect((await model.head()).position).toBe(5);
    },
  );

  it('does not take for nothing what the log has, though nothing comes from it', async () => {
    const work = await claim('renumber');
    const follow = async () => ({ stop: async () => undefined });
    const running = run(work, { durableLog: { follow, starts: () => log.starts(), ends: () => log.ends() } });
    await until(async () => ((await model.rebuilds.status())?.attempts ?? 0) >= 2, 'it tries to switch again');
    expect(await model.rebuilds.status()).toMatchObject({ state: 'building' });
    ending.abort();
    expect(await running).toBe('left');
  });

  it('is left to others when the lease cannot be renewed for its time (G6)', async () => {
    await handleBeyondTheEnd();
    const work = await claim('keep');
    let isReachable = true;
    let released = 0;
    const cutOff: RebuildWork = Object.assign(Object.create(work) as RebuildWork, {
      renew: async (leaseMs: number) => {
        if (isReachable) return work.renew(leaseMs);
        throw new SluiceError('read_model_unavailable', 'The read model cannot be reached');
      },
      release: async () => void released++,
    });
    // Its switch would last for longer than its lease.
    const running = run(cutOff, { leaseMs: 100, settleMs: 600_000 });
    await until(async () => (await model.rebuilds.status())?.holder === 'a', 'it builds');
    isReachable = false;
    expect(await running).toBe('left');
    expect(released).toBe(1);
    expect(await test.value('sluice_rebuild_active')).toBe(0);
    // Whoever takes it over goes on from there.
    await until(async () => (await model.rebuilds.status())?.holder === undefined, 'the lease runs out');
    const next = await model.rebuilds.claim('b', 60_000);
    if (!next) throw new Error('it is to be had');
    expect(await run(next)).toBe('switched');
  });
});
