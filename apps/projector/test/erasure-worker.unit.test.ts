import {
  InProcessDeliveryLog,
  MemoryDurableLog,
  MemoryReadModel,
  type EntityRef,
  type Erasures,
  type ErasureWork,
  type Lane,
} from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import { STEPS, type ErasureTools } from '../src/erasure/erasure-steps';
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

  it('does nothing at the step publishing without what it has to wait for', async () => {
    const work = await claim();
    await work.advance('publishing');
    const done = STEPS.publishing({ work, durableLog, deliveryLog, readModel: model });
    await expect(done).rejects.toMatchObject({ code: 'internal' });
  });

  it.each(['catching_up', 'log'] as const)(
    'takes the end of the log again where the step %s lacks it',
    async (step) => {
      const work = await claim();
      await work.advance(step, { mark: '0' });
      const done = await STEPS[step]({ work, durableLog, deliveryLog, readModel: model });
      expect(done).toEqual({ kind: 'next', step: 'settling' });
    },
  );

  it.each([
    ['the read model loses commits (G1)', 'read_model_unavailable', async () => 1],
    [
      'the erasure is abandoned',
      'conflict',
      async ({ erasureId }: ErasureWork) => {
        await model.erasures.abandon(erasureId);
        return 2;
      },
    ],
  ] as const)('takes nothing out of the log where %s while it is told what is to stay', async (_, code, meanwhile) => {
    const lane = 0 as Lane;
    await durableLog.append([envelope(), envelope()]);
    const work = await claim();
    const { mark } = await durableLog.erasure.begin();
    await work.advance('log', { mark, sealedEnds: new Map([[lane, 2]]), upTo: (await model.head()).position });
    let looks = 0;
    const readModel: ErasureTools['readModel'] = {
      head: () => model.head(),
      loadCheckpoints: async () => new Map([[lane, looks++ === 0 ? 2 : await meanwhile(work)]]),
    };
    const before = await readTexts(durableLog);
    await expect(STEPS.log({ work, durableLog, deliveryLog, readModel })).rejects.toMatchObject({ code });
    expect(looks).toBe(2);
    expect(await readTexts(durableLog)).toEqual(before);
    expect(before).toHaveLength(2);
  });
});
