import { toPosition } from '../position';
import type { RetentionBounds } from '../ports/event-retention';
import { describeRebuildsOfRemoved } from './rebuild-of-removed-conformance';
import { BOUNDS, removalTools, SANDBOX, type RemovalHarness } from './removal-tools';
import { describeRetention } from './retention-conformance';
import { sandboxEnvelope } from './tools';
import { describeWhatStays } from './what-stays-conformance';

/** What every ReadModel must do when events are taken out of it. */
export function describeRemoval(name: string, createHarness: () => Promise<RemovalHarness>): void {
  describe(`Removed events and retention: ${name}`, () => {
    let harness: RemovalHarness;
    let model: RemovalHarness['model'];
    beforeEach(async () => {
      harness = await createHarness();
      ({ model } = harness);
    });
    afterEach(() => harness.destroy());

    const { record, everything, kept, gone, floor } = removalTools(() => model);
    const entity = { ...SANDBOX, entityId: 'sandbox-123' };
    const upTo = (position: number) => toPosition(position);

    describe('an entity', () => {
      it('loses its events up to a position, and nothing else (G4)', async () => {
        await record([
          sandboxEnvelope(),
          sandboxEnvelope({ workspaceId: 2 }),
          sandboxEnvelope({ entityId: 'another' }),
          sandboxEnvelope(),
          sandboxEnvelope(),
        ]);
        expect(await model.removed.removeOfEntity(entity, upTo(4), BOUNDS)).toMatchObject({
          events: 2,
          complete: true,
        });
        expect([await kept(), await gone()]).toEqual([
          [2, 3, 5],
          [1, 4],
        ]);
        expect(await model.head()).toMatchObject({ position: 5 });
        expect((await everything()).reached).toBe(5);
        // Nobody is told.
        expect((await everything()).removed[0]).toEqual({ ...entity, position: 1, floor: 0, revision: 0 });
        expect(await floor([1, 2])).toBe(0);
        expect(await model.removed.removeOfEntity(entity, upTo(4), BOUNDS)).toEqual({
          events: 0,
          bytes: 0,
          complete: true,
        });
      });

      it('goes in steps of so many events and bytes, the first ones first', async () => {
        const envelopes = [1, 1, 3_000, 1].map((length) => sandboxEnvelope({ data: { text: 'x'.repeat(length) } }));
        const sizes = envelopes.map(({ json }) => Buffer.byteLength(json));
        const [one = 0, two = 0] = sizes;
        await record(envelopes);
        const remove = (bounds: Partial<RetentionBounds>) =>
          model.removed.removeOfEntity(entity, upTo(4), { ...BOUNDS, ...bounds });
        expect(await remove({ maxEvents: 1 })).toEqual({ events: 1, bytes: one, complete: false });
        expect(await remove({ maxBytes: two + 1 })).toEqual({ events: 1, bytes: two, complete: false });
        expect(await remove({ maxBytes: 1 })).toMatchObject({ events: 1, complete: false });
        expect([await kept(), await gone()]).toEqual([[4], [1, 2, 3]]);
        expect(await remove({})).toMatchObject({ events: 1, complete: true });
      });

      it('stays known by its ids, and goes on in its sequence (G2)', async () => {
        const envelopes = [sandboxEnvelope(), sandboxEnvelope()];
        await record(envelopes);
        await model.removed.removeOfEntity(entity, upTo(2), BOUNDS);
        expect((await record(envelopes)).recorded).toEqual([]);
        const { recorded } = await record([...envelopes, sandboxEnvelope()]);
        expect(recorded.map(({ event }) => [event.position, event.entitySequence])).toEqual([[3, 3]]);
        const ids = envelopes.map(({ event }) => event.id);
        expect((await model.findByIds(ids)).size).toBe(0);
        expect(await model.listEntities({ workspaceId: 1, limit: 9 })).toMatchObject([
          { eventCount: 3, firstPosition: 1, lastPosition: 3 },
        ]);
      });

      it('is left alone while the read model is being rebuilt', async () => {
        await record([sandboxEnvelope()]);
        await model.rebuilds.request({ positions: 'keep', dropOld: false });
        const refused = model.removed.removeOfEntity(entity, upTo(1), BOUNDS);
        await expect(refused).rejects.toMatchObject({ code: 'conflict' });
        expect(await kept()).toEqual([1]);
      });
    });

    describeWhatStays(() => model);

    it('fills gaps by what is there and what was: page by page, up to where there is something', async () => {
      await record(Array.from({ length: 6 }, (_, n) => sandboxEnvelope({ entityId: n < 3 ? 'a' : 'b' })));
      await model.removed.removeOfEntity({ ...SANDBOX, entityId: 'a' }, upTo(6), BOUNDS);
      const page = async (after: number, limit: number, maxBytes?: number) => {
        const options = { after: upTo(after), upTo: upTo(100), limit, ...(maxBytes && { maxBytes }) };
        const { events, removed, reached } = await model.readAll(options);
        return [events.map(({ event }) => event.position), removed.map(({ position }) => position), reached];
      };
      expect(await page(0, 2)).toEqual([[], [1, 2], 2]);
      expect(await page(2, 2)).toEqual([[4], [3], 4]);
      expect(await page(1, 100, 1)).toEqual([[4], [2, 3], 4]);
      expect(await page(4, 100)).toEqual([[5, 6], [], 6]);
      expect(await page(6, 100)).toEqual([[], [], 6]);
    });

    describeRetention(() => harness);
    describeRebuildsOfRemoved(() => model);
  });
}
