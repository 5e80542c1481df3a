import type { Position } from '@sluice/event-schema';
import { BEFORE_FIRST, toPosition } from '../position';
import type { RetentionScope, RetentionStep } from '../ports/event-retention';
import { BOUNDS, HOUR_MS, LEASE_MS, removalTools, SANDBOX, type RemovalHarness } from './removal-tools';
import { sandboxEnvelope, until } from './tools';

const DEFAULT: RetentionScope = { workspaceId: 'default', family: 'sandbox' };

/** What every EventRetention must do. */
export function describeRetention(harness: () => RemovalHarness): void {
  describe('a policy', () => {
    let model: RemovalHarness['model'];
    beforeEach(() => void ({ model } = harness()));
    const { record, everything, kept, gone, floor, sweepAll } = removalTools(() => model);
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
      await harness().recordAged(envelopes(3), 2 * HOUR_MS);
      await harness().recordAged(envelopes(2, { family: 'session', entityId: 's' }), 2 * HOUR_MS);
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
      await harness().recordAged(envelopes(3), 2 * HOUR_MS);
      await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
      await sweepAll();
      const page = await model.read({ filter: { workspaceIds: [1], entityIds: ['other'] }, limit: 5 });
      expect(page).toMatchObject({ events: [], complete: true, floor: 3, lost: 3 });
    });

    it('goes on where it stopped, in steps of so many events and bytes', async () => {
      await harness().recordAged(envelopes(10), 2 * HOUR_MS);
      await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
      const removed = (steps: readonly RetentionStep[]) =>
        steps.map((step) => (step.kind === 'swept' ? step.events : step.kind));
      const work = await model.retention.claim('first', LEASE_MS);
      expect(await work?.step({ ...BOUNDS, maxEvents: 4 })).toMatchObject({ events: 4, upTo: 4, scanned: 10 });
      await work?.release();
      expect(removed(await sweepAll({ ...BOUNDS, maxScanned: 3 }))).toEqual([3, 3]);
      expect([await gone(), await floor([1])]).toEqual([[1, 2, 3, 4, 5, 6, 7, 8, 9, 10], 10]);
      await harness().recordAged(envelopes(2), 2 * HOUR_MS);
      expect(removed(await sweepAll({ ...BOUNDS, maxBytes: 1 }))).toEqual([1, 1]);
      expect(await model.retention.policies()).toMatchObject([{ removedEvents: 12 }]);
    });

    it('of a workspace goes before the default; without an age its events are kept for ever', async () => {
      for (const workspaceId of [1, 2, 3]) await harness().recordAged(envelopes(1, { workspaceId }), 5 * HOUR_MS);
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

    it('lets the default go on where it is when what is removed is none', async () => {
      await harness().recordAged(envelopes(2), 2 * HOUR_MS);
      await model.retention.setPolicy(SANDBOX);
      await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
      expect(await sweepAll()).toMatchObject([{ scanned: 2, events: 0 }]);
      expect(await model.retention.removePolicy({ workspaceId: 9, family: 'sandbox' })).toBe(false);
      expect(await sweepAll()).toEqual([]);
    });

    it('counts as it is when a step begins, also in the middle of a round', async () => {
      await harness().recordAged(envelopes(4), 2 * HOUR_MS);
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

    it('lets others have their turns while it has much to remove, the most overdue first', async () => {
      await harness().recordAged(envelopes(8), 2 * HOUR_MS);
      await harness().recordAged(envelopes(3, { workspaceId: 2 }), 4 * HOUR_MS);
      await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS });
      await model.retention.setPolicy({ ...SANDBOX, workspaceId: 2, maxAgeMs: HOUR_MS });
      await model.retention.setPolicy({ ...SANDBOX, workspaceId: 3, maxAgeMs: HOUR_MS });
      const steps = await sweepAll({ ...BOUNDS, maxEvents: 2 });
      const turns = steps.map((step) => step.kind === 'swept' && [step.scope.workspaceId, step.events]);
      expect(turns.slice(0, 4)).toEqual([
        [2, 2],
        [1, 2],
        [2, 1],
        [1, 2],
      ]);
      expect(await kept()).toEqual([]);
    });

    it('tells how much is overdue', async () => {
      await harness().recordAged(envelopes(4), 5 * HOUR_MS);
      await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: HOUR_MS });
      await model.retention.setPolicy({ ...SANDBOX, workspaceId: 2, maxAgeMs: HOUR_MS });
      const work = await model.retention.claim('a worker', LEASE_MS);
      await work?.step(BOUNDS);
      expect(work?.backlog().policies).toBe(1);
      expect(work?.backlog().overdueMs).toBeGreaterThanOrEqual(4 * HOUR_MS);
      await work?.release();
      const later = await model.retention.claim('a worker', LEASE_MS);
      expect([await later?.step(BOUNDS), later?.backlog()]).toEqual([{ kind: 'done' }, { policies: 0, overdueMs: 0 }]);
      await later?.release();
    });

    it('is for the public workspace as for any other', async () => {
      const agent = { workspaceId: 0, family: 'registry', entityId: '1:7' } as const;
      await harness().recordAged([...envelopes(1), ...envelopes(2, agent)], 2 * HOUR_MS);
      await model.retention.setPolicy({ workspaceId: 'default', family: 'registry', maxAgeMs: HOUR_MS });
      await sweepAll();
      expect(await gone()).toEqual([2, 3]);
      // Who reads public events beside their own is told of registry events alone.
      expect([await floor([0, 1]), await floor([1]), await floor([0, 1], ['sandbox'])]).toEqual([3, 0, 0]);
    });

    it('lets a lane be read again from its beginning without recording anything (G2)', async () => {
      const old = envelopes(5);
      await harness().recordAged(old, 2 * HOUR_MS);
      await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
      await sweepAll();
      expect((await record(old)).recorded).toEqual([]);
      expect(await model.head()).toMatchObject({ position: 5 });
    });

    it('waits while the read model is being rebuilt', async () => {
      await harness().recordAged(envelopes(2), 2 * HOUR_MS);
      await model.retention.setPolicy({ ...DEFAULT, maxAgeMs: HOUR_MS });
      await model.rebuilds.request({ positions: 'keep', dropOld: false });
      expect(await sweepAll()).toEqual([{ kind: 'waiting' }]);
      expect(await kept()).toEqual([1, 2]);
    });

    it('is applied by one process at a time; another goes on when it says nothing for its lease (G6)', async () => {
      await harness().recordAged(envelopes(2), 2 * HOUR_MS);
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

    it('numbers what it removes, so that a page tells of what its reader does not know of alone (G5)', async () => {
      const session = { family: 'session', entityId: 's' } as const;
      await harness().recordAged([...envelopes(4), ...envelopes(2, session)], 2 * HOUR_MS);
      await harness().recordAged([...envelopes(2), ...envelopes(2, session)], HOUR_MS / 2);
      const read = (knownRevision?: number) =>
        model.read({ filter: { workspaceIds: [1] }, limit: 1, ...(knownRevision !== undefined && { knownRevision }) });
      expect(await read()).toMatchObject({ floor: 0, lost: 0, revision: 0 });
      await model.retention.setPolicy({ ...SANDBOX, maxAgeMs: 0 });
      await sweepAll();
      const first = await read();
      expect(first).toMatchObject({ floor: 8, lost: 8 });
      expect(await read(first.revision)).toMatchObject({ floor: 8, lost: 0, revision: first.revision });
      // What goes later is lower, and is told all the same.
      await model.retention.setPolicy({ workspaceId: 1, family: 'session', maxAgeMs: HOUR_MS });
      await sweepAll();
      const second = await read(first.revision);
      expect(second).toMatchObject({ floor: 8, lost: 6 });
      expect(second.revision).toBeGreaterThan(first.revision);
      expect(await read(second.revision)).toMatchObject({ floor: 8, lost: 0 });
      expect((await everything()).removed.map(({ family, revision }) => [family, revision])).toEqual([
        ...Array.from({ length: 4 }, () => ['sandbox', first.revision]),
        ...Array.from({ length: 2 }, () => ['session', second.revision]),
        ...Array.from({ length: 2 }, () => ['sandbox', first.revision]),
      ]);
    });

    it('tells a page of what is gone at its very moment, whatever goes meanwhile (G5)', async () => {
      await harness().recordAged(envelopes(200), 2 * HOUR_MS);
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
}
