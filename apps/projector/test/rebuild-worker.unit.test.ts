import { MemoryDurableLog, MemoryReadModel, SluiceError, type ReadModelRebuilds } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import type { Worker } from '@sluice/service-runtime';
import { createRebuildWorker } from '../src/rebuild/rebuild-worker';
import { RebuildRun } from '../src/rebuild/rebuild-run';
import { TestSignals } from './tools';

/** A rebuild that asked for the former model to be dropped, and whose builder ended right after the switch. */
describe('the worker of rebuilds', () => {
  const log = new MemoryDurableLog({ lanes: 1 });
  let rebuilds: ReadModelRebuilds;
  let test: TestSignals;
  let worker: Worker;
  const common = () => ({ durableLog: log, signals: test.signals, maxBatchRecords: 10 });
  beforeEach(async () => {
    test = new TestSignals();
    ({ rebuilds } = new MemoryReadModel());
    await rebuilds.request({ positions: 'keep', dropOld: true });
    const work = await rebuilds.claim('ended', 60_000);
    if (!work) throw new Error('there is nothing to build');
    await new RebuildRun({ ...common(), work, leaseMs: 60_000, signal: new AbortController().signal }).run();
    expect(await rebuilds.status()).toMatchObject({ state: 'switched', oldModelKept: true });
    worker = createRebuildWorker({ ...common(), rebuilds, holder: 'other', pollIntervalMs: 5 });
  });
  afterEach(() => worker.stop());
  afterAll(() => log.close());

  it('drops the former model that another process had not come to drop', async () => {
    await worker.start();
    await until(async () => (await rebuilds.status())?.oldModelKept === false, 'the former model is dropped');
    expect(await test.value('sluice_projector_faults_total{place="rebuild"}')).toBe(0);
  });

  it('leaves it to an operator when it is still read at the third attempt, and says so once', async () => {
    const dropping = jest.spyOn(rebuilds, 'dropOld');
    dropping.mockRejectedValue(new SluiceError('conflict', 'it is still being read'));
    const asking = jest.spyOn(rebuilds, 'status');
    await worker.start();
    await until(() => asking.mock.calls.length > 6, 'it looked again and again');
    expect(dropping).toHaveBeenCalledTimes(3);
    expect(await test.value('sluice_projector_faults_total{place="rebuild"}')).toBe(1);
  });
});
