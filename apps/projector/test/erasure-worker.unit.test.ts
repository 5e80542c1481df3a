import {
  InProcessDeliveryLog,
  MemoryDurableLog,
  MemoryReadModel,
  type EntityRef,
  type Erasures,
} from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { STEPS } from '../src/erasure/erasure-steps';
import { createErasureWorker } from '../src/erasure/erasure-worker';
import { envelope, TestSignals } from './tools';

const ENTITY: EntityRef = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' };
const LEASE_MS = 20;

describe('the worker of erasures', () => {
  let model: MemoryReadModel;
  let durableLog: MemoryDurableLog;
  const deliveryLog = new InProcessDeliveryLog();
  beforeEach(async () => {
    model = new MemoryReadModel();
    durableLog = new MemoryDurableLog();
    await model.record({ envelopes: [envelope()], parked: [], checkpoints: new Map() });
    await model.erasures.request({ entity: ENTITY, fields: [] });
  });
  const claim = async () => {
    const work = await model.erasures.claim('a worker', 60_000);
    if (!work) throw new Error('there is nothing to do');
    return work;
  };

  it('renews its lease once at a time, however long the row of the erasure is held', async () => {
    const work = await claim();
    let [renewals, claims, isRowHeld] = [0, 0, true];
    const whenFree = (test: () => boolean) => until(test, 'the row is free');
    // The only erasure, whose renewals wait, as they do behind a transaction that holds its row.
    const erasures: Pick<Erasures, 'claim'> = {
      claim: async () => {
        if (claims++ > 0) return undefined;
        const renew = async () => {
          renewals++;
          await whenFree(() => !isRowHeld);
        };
        return Object.assign(Object.create(work), { renew }) as typeof work;
      },
    };
    let turns = 0;
    const ends = async () => {
      // A step that lasts for many intervals of renewal.
      const clock = setInterval(() => turns++, LEASE_MS / 5);
      await until(() => turns >= 20 && renewals > 0, 'much time has passed');
      clearInterval(clock);
      return new Map();
    };
    const { signals } = new TestSignals();
    const log = { ends, erasure: durableLog.erasure };
    const options = { erasures, durableLog: log, deliveryLog, readModel: model, signals, holder: 'a worker' };
    const worker = createErasureWorker({ ...options, pollIntervalMs: 5, leaseMs: LEASE_MS });
    void worker.start();
    await until(() => turns >= 20, 'the step is over');
    expect(renewals).toBe(1);
    isRowHeld = false;
    await worker.stop();
  });

  it.each(['catching_up', 'publishing'] as const)(
    'does nothing at the step %s without what it has to wait for',
    async (step) => {
      const work = await claim();
      await work.advance(step);
      const done = STEPS[step]({ work, durableLog, deliveryLog, readModel: model });
      await expect(done).rejects.toMatchObject({ code: 'internal' });
    },
  );
});
