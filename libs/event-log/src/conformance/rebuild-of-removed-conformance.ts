import type { RebuildRequest, RebuildWork } from '../ports/read-model-rebuild';
import { LEASE_MS, removalTools, type RemovalHarness } from './removal-tools';
import { ScriptedLog } from './scripted-log';
import { removeOldest, sandboxEnvelope } from './tools';

/** What every rebuild must do with events that were removed. */
export function describeRebuildsOfRemoved(model: () => RemovalHarness['model']): void {
  const { kept, gone } = removalTools(model);
  let log: ScriptedLog;
  beforeEach(() => {
    log = new ScriptedLog();
  });

  const begin = async (positions: RebuildRequest['positions']): Promise<RebuildWork> => {
    const { rebuilds } = model();
    await rebuilds.request({ positions, dropOld: true });
    const work = await rebuilds.claim('a builder', LEASE_MS);
    if (!work) throw new Error('there is nothing to build');
    await work.prepare();
    return work;
  };
  const finish = async (work: RebuildWork) => {
    const settled = async () => {
      const { events, records } = await work.remainder(log);
      return events + records === 0;
    };
    expect(await work.switchOver(settled)).toBe('switched');
    await model().rebuilds.dropOld();
  };

  describe.each(['keep', 'renumber'] as const)('a rebuild (%s)', (positions) => {
    const envelopes = Array.from({ length: 6 }, () => sandboxEnvelope());

    it('leaves what is removed away, also where the log has it twice (G4)', async () => {
      log.append(0, ...envelopes, ...envelopes.slice(0, 3));
      await model().record(log.recordBatch(0, 0));
      await removeOldest(model().retention, 2);
      const work = await begin(positions);
      // What comes first is projected, and removed again, before it comes for the second time.
      await log.bringTo(work, 4);
      await finish(work);
      expect([await kept(), await gone()]).toEqual([
        [3, 4, 5, 6],
        [1, 2],
      ]);
      // Retention goes on.
      await removeOldest(model().retention, 2);
      expect([await kept(), await gone()]).toEqual([
        [5, 6],
        [1, 2, 3, 4],
      ]);
    });
  });

  it('keeps what readers know of what was removed, and numbers on from there', async () => {
    log.append(0, ...Array.from({ length: 4 }, () => sandboxEnvelope()));
    await model().record(log.recordBatch(0, 0));
    await removeOldest(model().retention, 1);
    await removeOldest(model().retention, 1);
    const read = () => model().read({ filter: { workspaceIds: [1] }, limit: 1 });
    const { floor, revision } = await read();
    const work = await begin('keep');
    await log.bringTo(work);
    await finish(work);
    expect(await read()).toMatchObject({ floor, revision });
    await removeOldest(model().retention, 1);
    expect((await read()).revision).toBeGreaterThan(revision);
  });

  it('leaves what the log had lost away, also where it has it again', async () => {
    const envelopes = Array.from({ length: 4 }, () => sandboxEnvelope());
    log.append(0, ...envelopes);
    await model().record(log.recordBatch(0, 0));
    await removeOldest(model().retention, 2);
    const lost = new Set(envelopes.slice(0, 2));
    log.rewrite((envelope) => (lost.has(envelope) ? undefined : envelope));
    const work = await begin('keep');
    await log.bringTo(work);
    expect(await work.fillHoles()).toBeUndefined();
    log.append(0, ...lost);
    await model().record(log.recordBatch(0, 4));
    await log.bringTo(work);
    await finish(work);
    expect([await kept(), await gone()]).toEqual([
      [3, 4],
      [1, 2],
    ]);
  });
}
