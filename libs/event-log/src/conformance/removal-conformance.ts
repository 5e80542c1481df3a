import type { EncodedEnvelope, Position } from '@sluice/event-schema';
import { BEFORE_FIRST, toPosition } from '../position';
import type { EventRetention, RetentionBounds, RetentionScope, RetentionStep } from '../ports/event-retention';
import type { ReadModel, RecordOutcome } from '../ports/read-model';
import type { ReadModelRebuilds } from '../ports/read-model-rebuild';
import { sandboxEnvelope, until } from './tools';

/** One read model with what takes events out of it; every test gets a fresh one. */
export interface RemovalHarness {
  readonly model: ReadModel & { readonly retention: EventRetention; readonly rebuilds: ReadModelRebuilds };
  /** Records events as if it had been done so long ago. */
  recordAged(envelopes: readonly EncodedEnvelope[], ageMs: number): Promise<RecordOutcome>;
  destroy(): Promise<void>;
}

const LEASE_MS = 60_000;
const HOUR_MS = 3_600_000;
const BOUNDS: RetentionBounds = { maxEvents: 100, maxBytes: 1_000_000, maxScanned: 1_000 };
const SANDBOX = { workspaceId: 1, family: 'sandbox' } as const;
const DEFAULT: RetentionScope = { workspaceId: 'default', family: 'sandbox' };

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

    const record = (envelopes: readonly EncodedEnvelope[]) =>
      model.record({ envelopes, parked: [], checkpoints: new Map() });
    const everything = () => model.readAll({ after: BEFORE_FIRST, upTo: toPosition(1_000), limit: 1_000 });
    const kept = async () => (await everything()).events.map(({ event }) => event.position as number);
    const gone = async () => (await everything()).removed.map(({ position }) => position as number);
    const floor = async (workspaceIds: number[], families?: ['sandbox' | 'session' | 'registry']) =>
      (await model.read({ filter: { workspaceIds, ...(families && { families }) }, limit: 1 })).floor as number;
    const entity = { ...SANDBOX, entityId: 'sandbox-123' };
    const upTo = (position: number) => toPosition(position);

    /** All steps of one round. */
    const sweepAll = async (bounds: RetentionBounds = BOUNDS): Promise<readonly RetentionStep[]> => {
      const work = await model.retention.claim('a worker', LEASE_MS);
      if (!work) throw new Error('somebody else is at it');
      const steps: RetentionStep[] = [];
      for (;;) {
        const step = await work.step(bounds);
        if (step.kind === 'done') break;
        steps.push(step);
        if (step.kind === 'waiting') break;
      }
      await work.release();
      return steps;
    };

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
        expect((await everything()).removed[0]).toEqual({ ...entity, position: 1, floor: 0 });
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

    describe('a policy', () => {
      const envelopes = (count: number, overrides: Parameters<typeof sandboxEnvelope>[0] = {}) =>
        Array.from({ length: count }, () => sandboxEnvelope(overrides));

      it('is set, changed, listed and removed', async () => {
        const { retention } = model;
        expect(await retention.policies()).toEqual([]);
        expect(await retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS })).toMatchObject({ maxAgeMs: HOUR_MS });
        await retention.setPolicy({ ...DEFAULT });
        await retention.setPolicy({ workspaceId: 0, family: 'registry', maxAgeMs: 5 });
        await retention.setPolicy({ ...SANDBOX, maxAgeMs: 7 });
        const [first, ...others] = await retention.policies();
        expect(first).toEqual({ ...DEFAULT, changedAt: expect.any(Number) as number, removedEvents: 0 });
        expect(others).toMatchObject([
          { workspaceId: 0, family: 'registry', maxAgeMs: 5 },
          { ...SANDBOX, maxAgeMs: 7 },
        ]);
        expect(await retention.removePolicy(SANDBOX)).toBe(true);
        expect(await retention.removePolicy(SANDBOX)).toBe(false);
        expect(await retention.policies()).toHaveLength(2);
      });

      it('removes what is older, and says up to where (G5)', async () => {
        await harness.recordAged(envelopes(3), 2 * HOUR_MS);
        await harness.recordAged(envelopes(2, { family: 'session', entityId: 's' }), 2 * HOUR_MS);
        await record(envelopes(2));
        await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS });
        expect(await sweepAll()).toMatchObject([{ kind: 'swept', scope: SANDBOX, scanned: 5, events: 3, upTo: 5 }]);
        expect([await kept(), await gone()]).toEqual([
          [4, 5, 6, 7],
          [1, 2, 3],
        ]);
        expect(await floor([1])).toBe(3);
        expect(await floor([1, 2], ['sandbox'])).toBe(3);
        expect([await floor([1], ['session']), await floor([2])]).toEqual([0, 0]);
        expect((await everything()).removed.map((removed) => removed.floor)).toEqual([3, 3, 3]);
        expect(await model.retention.policies()).toMatchObject([{ removedEvents: 3 }]);
        expect(await sweepAll()).toEqual([]);
      });

      it('says so of a page that is empty, too', async () => {
        await harness.recordAged(envelopes(3), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        await sweepAll();
        const page = await model.read({ filter: { workspaceIds: [1], entityIds: ['other'] }, limit: 5 });
        expect(page).toEqual({ events: [], complete: true, floor: 3 });
      });

      it('goes on where it stopped, in steps of so many events and bytes', async () => {
        await harness.recordAged(envelopes(10), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        const removed = (steps: readonly RetentionStep[]) =>
          steps.map((step) => (step.kind === 'swept' ? step.events : step.kind));
        const work = await model.retention.claim('first', LEASE_MS);
        expect(await work?.step({ ...BOUNDS, maxEvents: 4 })).toMatchObject({ events: 4, upTo: 4, scanned: 10 });
        await work?.release();
        expect(removed(await sweepAll({ ...BOUNDS, maxScanned: 3 }))).toEqual([3, 3]);
        expect([await gone(), await floor([1])]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10]);
        await harness.recordAged(envelopes(2), 2 * HOUR_MS);
        expect(removed(await sweepAll({ ...BOUNDS, maxBytes: 1 }))).toEqual([1, 1]);
        expect(await model.retention.policies()).toMatchObject([{ removedEvents: 12 }]);
      });

      it('of a workspace goes before the default; without an age its events are kept for ever', async () => {
        for (const workspaceId of [1, 2, 3]) await harness.recordAged(envelopes(1, { workspaceId }), 5 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: 9 * HOUR_MS });
        await model.retention.setPolicy({ workspaceId: 2, family: 'sandbox' });
        await sweepAll();
        expect(await kept()).toEqual([1, 2]);
        await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS });
        await sweepAll();
        expect(await kept()).toEqual([2]);
        // The default has passed it by, and comes back for it.
        await model.retention.removePolicy({ workspaceId: 2, family: 'sandbox' });
        await sweepAll();
        expect([await kept(), await floor([2]), await floor([1, 2, 3])]).toEqual([[], 2, 3]);
      });

      it('counts as it is when a step begins, also in the middle of a round', async () => {
        await harness.recordAged(envelopes(4), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        const work = await model.retention.claim('a worker', LEASE_MS);
        const one = { ...BOUNDS, maxEvents: 1 };
        expect(await work?.step(one)).toMatchObject({ events: 1 });
        await model.retention.setPolicy({ ...SANDBOX });
        expect(await work?.step(one)).toMatchObject({ kind: 'swept', events: 0, upTo: 4 });
        await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS });
        await work?.release();
        await sweepAll();
        expect([await kept(), await gone()]).toEqual([[], [1, 2, 3, 4]]);
      });

      it('is for the public workspace as for any other', async () => {
        const agent = { workspaceId: 0, family: 'registry', entityId: '1:7' } as const;
        await harness.recordAged([...envelopes(1), ...envelopes(2, agent)], 2 * HOUR_MS);
        await model.retention.setPolicy({ workspaceId: 'default', family: 'registry', maxAgeMs: HOUR_MS });
        await sweepAll();
        expect(await gone()).toEqual([2, 3]);
        // Who reads public events beside their own is told of registry events alone.
        expect([await floor([0, 1]), await floor([1]), await floor([0, 1], ['sandbox'])]).toEqual([3, 0, 0]);
      });

      it('lets a lane be read again from its beginning without recording anything (G2)', async () => {
        const old = envelopes(5);
        await harness.recordAged(old, 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        await sweepAll();
        expect((await record(old)).recorded).toEqual([]);
        expect(await model.head()).toMatchObject({ position: 5 });
      });

      it('waits while the read model is being rebuilt', async () => {
        await harness.recordAged(envelopes(2), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        await model.rebuilds.request({ positions: 'keep', dropOld: false });
        expect(await sweepAll()).toEqual([{ kind: 'waiting' }]);
        expect(await kept()).toEqual([1, 2]);
      });

      it('is applied by one process at a time; another goes on when it says nothing for its lease (G6)', async () => {
        await harness.recordAged(envelopes(2), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        const first = await model.retention.claim('first', 1);
        let second = await model.retention.claim('second', LEASE_MS);
        await until(
          async () => (second ??= await model.retention.claim('second', LEASE_MS)) !== undefined,
          'the lease runs out',
        );
        const lost = { code: 'conflict' };
        await expect(first?.step(BOUNDS)).rejects.toMatchObject(lost);
        await expect(first?.renew(LEASE_MS)).rejects.toMatchObject(lost);
        await expect(first?.release()).rejects.toMatchObject(lost);
        expect(await model.retention.claim('third', LEASE_MS)).toBeUndefined();
        expect(await second?.step(BOUNDS)).toMatchObject({ events: 2 });
        await second?.renew(LEASE_MS);
        await second?.release();
        expect(await model.retention.claim('third', LEASE_MS)).toBeDefined();
      });

      it('tells a page of what is gone at its very moment, whatever goes meanwhile (G5)', async () => {
        await harness.recordAged(envelopes(200), 2 * HOUR_MS);
        await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
        const sweeping = sweepAll({ ...BOUNDS, maxEvents: 3 });
        let isOver = false;
        void sweeping.finally(() => (isOver = true));
        let after: Position = BEFORE_FIRST;
        while (!isOver) {
          const page = await model.read({ filter: { workspaceIds: [1] }, after, limit: 20 });
          const positions = page.events.map(({ event }) => event.position as number);
          // Nothing is on the page that the floor says is gone, and nothing is missing that it does not say.
          const from = Math.max(after, page.floor) + 1;
          expect(positions).toEqual(Array.from({ length: Math.min(20, 201 - from) }, (_, n) => from + n));
          after = toPosition((after + 7) % 150);
        }
        await sweeping;
        expect(await floor([1])).toBe(200);
      });
    });
  });
}
