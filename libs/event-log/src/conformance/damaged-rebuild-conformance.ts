import type { Lane } from '../ports/durable-log';
import type { ReadModel } from '../ports/read-model';
import type { ReadModelRebuilds, RebuildPositions, RebuildWork } from '../ports/read-model-rebuild';
import { ScriptedLog } from './scripted-log';
import { sandboxEnvelope } from './tools';

/** What every rebuild must do where the live model has lost something. */
export function describeRebuildsOfDamaged(
  opened: () => { readonly model: ReadModel; readonly rebuilds: ReadModelRebuilds },
): void {
  let log: ScriptedLog;
  beforeEach(() => {
    log = new ScriptedLog();
  });

  const begin = async (positions: RebuildPositions): Promise<RebuildWork> => {
    const { rebuilds } = opened();
    await rebuilds.request({ positions, dropOld: false });
    const work = await rebuilds.claim('a builder', 60_000);
    if (!work) throw new Error('there is nothing to build');
    await work.prepare();
    return work;
  };
  const settled = async (work: RebuildWork) => {
    const { events, records } = await work.remainder(log);
    return events + records === 0;
  };
  const fill = () =>
    log.append(0, ...Array.from({ length: 6 }, (_, n) => sandboxEnvelope({ entityId: `sandbox-${n}` })));

  describe('where the live model has lost how far it is in the log', () => {
    beforeEach(async () => {
      fill();
      await opened().model.record({ ...log.recordBatch(0, 0), checkpoints: new Map() });
    });

    it.each(['keep', 'renumber'] as const)('does not take that for nothing left to do (G10): %s', async (positions) => {
      const work = await begin(positions);
      expect(await work.remainder(log)).toMatchObject({ records: 6, unread: 6 });
      expect(await work.switchOver(() => settled(work))).toBe('not_yet');
    });

    it('numbers all anew that the log has', async () => {
      const work = await begin('renumber');
      await log.bringTo(work);
      expect(await work.switchOver(() => settled(work))).toBe('switched');
      expect((await opened().model.head()).position).toBe(6);
    });

    it('keeps positions when it has read the log again', async () => {
      const work = await begin('keep');
      await log.bringTo(work);
      expect(await settled(work)).toBe(false);
      await opened().model.record(log.recordBatch(0, 0));
      await log.bringTo(work);
      expect(await work.switchOver(() => settled(work))).toBe('switched');
      expect((await opened().model.head()).position).toBe(6);
    });
  });

  it('numbers nothing anew before all of the log is read, whatever the live model says of itself', async () => {
    fill();
    await opened().model.record(log.recordBatch(0, 0, 2));
    const work = await begin('renumber');
    const batch = log.batchFrom(new Map(), 2);
    if (!batch) throw new Error('there are records');
    await work.copy(batch);
    expect(await work.remainder(log)).toMatchObject({ records: 4, unread: 4 });
  });

  it('fails where more is lacking than a switch can record', async () => {
    fill();
    await opened().model.record(log.recordBatch(0, 0));
    log.append(0, ...Array.from({ length: 1_001 }, () => sandboxEnvelope()));
    const checkpoints = new Map([[0 as Lane, { from: 6, to: 1_007 }]]);
    await opened().model.record({ envelopes: [], parked: [], checkpoints });
    const work = await begin('keep');
    await log.bringTo(work, 100);
    await expect(work.switchOver(() => settled(work))).rejects.toMatchObject({
      code: 'configuration',
      message: expect.stringContaining('at index 6 of lane 0'),
    });
    expect((await opened().model.head()).position).toBe(6);
  });
}
