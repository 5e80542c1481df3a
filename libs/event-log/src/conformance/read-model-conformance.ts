import type { EncodedEnvelope, RecordedEvent } from '@sluice/event-schema';
import { CheckpointLost } from '../checkpoint-lost';
import { BEFORE_FIRST, toPosition } from '../position';
import type { CheckpointMoves, Lane } from '../ports/durable-log';
import { ProjectionFailed, type ParkedRecord, type ReadModel } from '../ports/read-model';
import { describeFilters } from './filter-conformance';
import { sandboxEnvelope, until } from './tools';

export interface ReadModelHarness {
  /**
   * A client of one read model; every test gets a fresh one. Events of type `conformance.poison` must make a projection
   * throw.
   */
  open(): Promise<ReadModel>;
  destroy(): Promise<void>;
}

/** For harnesses: the projection that the suite counts on. */
export function rejectPoison(event: RecordedEvent): void {
  if (event.type === 'conformance.poison') throw new Error('poison');
}

const LANE = 0 as Lane;
const NONE = new Map<Lane, number>();
const moved = (from: number, to: number): CheckpointMoves => new Map([[LANE, { from, to }]]);
const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);

const record = (model: ReadModel, envelopes: readonly EncodedEnvelope[], next?: number) =>
  model.record({ envelopes, parked: [], checkpoints: next === undefined ? new Map() : moved(0, next) });

const all = { workspaceIds: [1] };

/** What every ReadModel must do. */
export function describeReadModel(name: string, createHarness: () => Promise<ReadModelHarness>): void {
  describe(`ReadModel: ${name}`, () => {
    let harness: ReadModelHarness;
    let model: ReadModel;
    beforeEach(async () => {
      harness = await createHarness();
      model = await harness.open();
    });
    afterEach(() => harness.destroy());

    it('gives contiguous positions and entity sequences, and returns what it stored, byte for byte', async () => {
      const envelopes = range(1, 10).map((n) =>
        sandboxEnvelope({ entityId: `sandbox-${n % 2}`, data: { n, odd: '\u0000\ud800🐚' } }),
      );
      const { recorded, epoch } = await record(model, envelopes);
      expect(recorded.map(({ event }) => event.position)).toEqual(range(1, 10));
      expect(recorded.map(({ event }) => event.entitySequence)).toEqual([1, 1, 2, 2, 3, 3, 4, 4, 5, 5]);
      expect(await model.head()).toEqual({ epoch, position: 10 });
      const { events: read } = await model.read({ filter: all, limit: 100 });
      expect(read.map(({ json }) => json)).toEqual(recorded.map(({ json }) => json));
      expect(read).toEqual(recorded);
    });

    it('skips an id that it has, within a batch and between batches', async () => {
      const [a, b, c] = [sandboxEnvelope(), sandboxEnvelope(), sandboxEnvelope()];
      await record(model, [a, b, a]);
      const again = await record(model, [b, c, a]);
      expect(again.recorded.map(({ event }) => event.id)).toEqual([c.event.id]);
      expect(again.recorded[0]?.event).toMatchObject({ position: 3, entitySequence: 3 });
    });

    it('keeps positions contiguous when several recorders work at the same time', async () => {
      const models = [model, await harness.open(), await harness.open()];
      await Promise.all(
        range(1, 60).map((n) =>
          record(models[n % 3] ?? model, [sandboxEnvelope(), sandboxEnvelope({ entityId: 'b' })]),
        ),
      );
      const events = (await model.read({ filter: all, limit: 1000 })).events.map(({ event }) => event);
      expect(events.map(({ position }) => position)).toEqual(range(1, 120));
      for (const entity of ['sandbox-123', 'b']) {
        expect(events.filter(({ entityId }) => entityId === entity).map((event) => event.entitySequence)).toEqual(
          range(1, 60),
        );
      }
    });

    it('stores checkpoints with the events and never moves one back', async () => {
      await record(model, [sandboxEnvelope()], 7);
      await record(model, [], 5);
      expect(await model.loadCheckpoints([LANE, 1 as Lane])).toEqual(new Map([[LANE, 7]]));
    });

    it('records nothing of a batch that comes after what is stored: something between was lost (G1)', async () => {
      await model.record({ envelopes: [sandboxEnvelope()], parked: [], checkpoints: moved(0, 7) });
      const parked: ParkedRecord = { lane: LANE, index: 9, value: new Uint8Array(), reason: 'not_json', detail: '' };
      const later = { envelopes: [sandboxEnvelope()], parked: [parked], checkpoints: moved(8, 12) };
      await expect(model.record(later)).rejects.toBeInstanceOf(CheckpointLost);
      const other = { ...later, checkpoints: new Map([...moved(7, 12), [1 as Lane, { from: 1, to: 2 }]]) };
      await expect(model.record(other)).rejects.toBeInstanceOf(CheckpointLost);
      expect([(await model.head()).position, await model.parked.count()]).toEqual([1, 0]);
      expect(await model.loadCheckpoints([LANE, 1 as Lane])).toEqual(new Map([[LANE, 7]]));
      // Whoever comes late, or second, is not held up.
      await model.record({ ...later, checkpoints: moved(7, 12) });
      await model.record({ ...later, checkpoints: moved(3, 9) });
      expect((await model.head()).position).toBe(2);
      expect(await model.loadCheckpoints([LANE])).toEqual(new Map([[LANE, 12]]));
    });

    it('begins a new epoch when an event is not where it was, once, and for no other reason (G3)', async () => {
      const { epoch, recorded } = await record(model, [sandboxEnvelope(), sandboxEnvelope()]);
      const [first, second] = recorded.map(({ event }) => ({ epoch, position: event.position, eventId: event.id }));
      if (!first || !second) throw new Error('there are two');
      expect([await model.beginEpochIfLost(first), await model.beginEpochIfLost(second)]).toEqual([false, false]);
      expect(await model.head()).toEqual({ epoch, position: 2 });
      const grant = await model.acquire('publisher', 60_000);
      const witnesses = [
        { ...second, eventId: sandboxEnvelope().event.id },
        { ...second, position: toPosition(9) },
      ];
      const began = await Promise.all(witnesses.map(async (one) => (await harness.open()).beginEpochIfLost(one)));
      expect(began.sort()).toEqual([false, true]);
      const head = await model.head();
      expect([head.position, head.epoch === epoch]).toEqual([2, false]);
      // Whoever published does not go on from what it published before.
      expect(grant && (await model.advance(grant, toPosition(9)))).toBe(false);
      expect(await model.acquire('successor', 60_000)).toMatchObject({ published: 2 });
      expect((await record(model, [sandboxEnvelope()])).epoch).toBe(head.epoch);
    });

    it('records nothing of a batch when a projection fails, and names the event', async () => {
      const poison = sandboxEnvelope({ type: 'conformance.poison' });
      const failed = record(model, [sandboxEnvelope(), poison], 9);
      await expect(failed).rejects.toBeInstanceOf(ProjectionFailed);
      await expect(failed).rejects.toMatchObject({ eventId: poison.event.id });
      expect((await model.head()).position).toBe(0);
      expect(await model.loadCheckpoints([LANE])).toEqual(NONE);
      const { recorded } = await record(model, [sandboxEnvelope()]);
      expect(recorded[0]?.event).toMatchObject({ position: 1, entitySequence: 1 });
    });

    it('rejects an event of a version that nobody knows, and records nothing of its batch', async () => {
      const unknown = sandboxEnvelope({ schemaVersion: 9_999 });
      await expect(record(model, [sandboxEnvelope(), unknown])).rejects.toMatchObject({ eventId: unknown.event.id });
      expect((await model.head()).position).toBe(0);
    });

    it('parks a record once, lists it and marks it replayed', async () => {
      const parked: ParkedRecord = {
        lane: LANE,
        index: 3,
        value: new Uint8Array([0, 255, 10]),
        reason: 'not_json',
        detail: 'not UTF-8',
        workspaceId: 4,
      };
      await model.record({ envelopes: [], parked: [parked], checkpoints: moved(0, 4) });
      await model.record({ envelopes: [], parked: [parked], checkpoints: moved(0, 4) });
      expect(await model.parked.count()).toBe(1);
      const [stored] = await model.parked.list({ limit: 10 });
      expect({ ...stored, value: [...(stored?.value ?? [])] }).toMatchObject({ ...parked, value: [0, 255, 10] });
      expect(await model.parked.list({ workspaceId: 1, limit: 10 })).toEqual([]);
      await model.parked.markReplayed([stored?.parkedId ?? 0]);
      expect(await model.parked.count()).toBe(0);
      expect((await model.parked.list({ workspaceId: 4, limit: 10 }))[0]?.replayedAt).toBeGreaterThan(0);
    });

    describeFilters(() => model);

    it('reads ranges of positions and of time, in both orders, up to a limit', async () => {
      await record(
        model,
        range(1, 20).map((n) => sandboxEnvelope({ occurredAt: 1000 + n })),
      );
      const positions = async (options: Partial<Parameters<ReadModel['read']>[0]>) =>
        (await model.read({ filter: all, limit: 100, ...options })).events.map(({ event }) => event.position as number);
      expect(await positions({ after: toPosition(5), upTo: toPosition(8) })).toEqual([6, 7, 8]);
      expect(await positions({ occurredAfter: 1015, occurredBefore: 1018 })).toEqual([16, 17]);
      expect(await positions({ order: 'descending', limit: 3 })).toEqual([20, 19, 18]);
      expect(await positions({ limit: 3 })).toEqual([1, 2, 3]);
      const filled = await model.readAll({ after: toPosition(3), upTo: toPosition(9), limit: 4 });
      expect(filled.events.map(({ event }) => event.position)).toEqual([4, 5, 6, 7]);
      expect(filled.reached).toBe(7);
    });

    it('bounds a page by the bytes of its envelopes, but gives the first event whatever its size', async () => {
      const texts = [1, 1, 1, 3_000, 1, 1, 1].map((length) => '🐚'.repeat(length));
      const envelopes = texts.map((text) => sandboxEnvelope({ data: { text } }));
      const sizes = envelopes.map(({ json }) => Buffer.byteLength(json));
      await record(model, envelopes);
      const bytesOf = (...positions: number[]) => positions.reduce((sum, n) => sum + (sizes[n - 1] ?? 0), 0);
      const page = async (options: Partial<Parameters<ReadModel['read']>[0]>) => {
        const { events, complete } = await model.read({ filter: all, limit: 100, ...options });
        return { positions: events.map(({ event }) => event.position as number), complete };
      };
      expect(await page({ maxBytes: bytesOf(1, 2, 3) })).toEqual({ positions: [1, 2, 3], complete: false });
      expect(await page({ maxBytes: bytesOf(1, 2, 3) - 1 })).toEqual({ positions: [1, 2], complete: false });
      // What is left out counts too: a small event after a large one must not slip in before it.
      expect(await page({ maxBytes: bytesOf(1, 2, 3, 5, 6, 7) })).toEqual({ positions: [1, 2, 3], complete: false });
      expect(await page({ after: toPosition(3), maxBytes: 1 })).toEqual({ positions: [4], complete: false });
      expect(await page({ order: 'descending', maxBytes: bytesOf(7, 6) })).toEqual({
        positions: [7, 6],
        complete: false,
      });
      const last = { positions: [7], complete: true };
      expect(await page({ after: toPosition(6), maxBytes: 1 })).toEqual(last);
      expect(await page({ after: toPosition(6), upTo: toPosition(7), maxBytes: 1, limit: 2 })).toEqual(last);
      expect(await page({ after: toPosition(7), maxBytes: 1 })).toEqual({ positions: [], complete: true });
      expect(await page({ limit: 7 })).toEqual({ positions: range(1, 7), complete: false });
      expect(await page({ maxBytes: bytesOf(...range(1, 7)) })).toEqual({ positions: range(1, 7), complete: true });

      const gap = async (after: number, maxBytes: number) =>
        (await model.readAll({ after: toPosition(after), upTo: toPosition(7), limit: 100, maxBytes })).events.map(
          ({ event }) => event.position as number,
        );
      expect(await gap(0, bytesOf(1, 2))).toEqual([1, 2]);
      expect(await gap(3, 1)).toEqual([4]);
      expect(await gap(4, bytesOf(5, 6, 7))).toEqual([5, 6, 7]);
    });

    it('finds events by id', async () => {
      const [a, b] = [sandboxEnvelope(), sandboxEnvelope()];
      await record(model, [a]);
      const found = await model.findByIds([a.event.id, b.event.id]);
      expect([...found.keys()]).toEqual([a.event.id]);
      expect(found.get(a.event.id)).toMatchObject({ ...a.event, position: 1 });
    });

    it('lists the entities of one workspace in pages', async () => {
      await record(
        model,
        range(1, 9).map((n) => sandboxEnvelope({ entityId: `sandbox-${n % 3}`, occurredAt: 1000 + n })),
      );
      await record(model, [sandboxEnvelope({ workspaceId: 2, entityId: 'foreign' })]);
      const first = await model.listEntities({ workspaceId: 1, limit: 2 });
      expect(first.map(({ entityId }) => entityId)).toEqual(['sandbox-0', 'sandbox-1']);
      expect(first[1]).toEqual({
        workspaceId: 1,
        family: 'sandbox',
        entityId: 'sandbox-1',
        eventCount: 3,
        firstPosition: 1,
        lastPosition: 7,
        lastOccurredAt: 1007,
      });
      const second = await model.listEntities({
        workspaceId: 1,
        after: { family: 'sandbox', entityId: 'sandbox-1' },
        limit: 2,
      });
      expect(second.map(({ entityId }) => entityId)).toEqual(['sandbox-2']);
    });

    it('grants the right to publish to one holder at a time and fences the former one', async () => {
      const other = await harness.open();
      const grant = await model.acquire('a', 60_000);
      expect(grant).toMatchObject({ holder: 'a', published: BEFORE_FIRST });
      if (!grant) throw new Error('no grant');
      expect(await other.acquire('b', 60_000)).toBeUndefined();
      expect(await model.advance(grant, toPosition(5))).toBe(true);
      expect(await model.acquire('a', 60_000)).toEqual({ ...grant, published: 5 });
      await model.release(grant);
      const next = await other.acquire('b', 60_000);
      expect(next).toMatchObject({ holder: 'b', published: 5 });
      expect(next?.fencingToken).toBeGreaterThan(grant.fencingToken);
      expect(await model.advance(grant, toPosition(9))).toBe(false);
      expect((await other.acquire('b', 60_000))?.published).toBe(5);
    });

    it('lets another holder take over a lease that ran out', async () => {
      await model.acquire('a', 1);
      await until(async () => (await model.acquire('b', 60_000)) !== undefined, 'the lease runs out');
    });

    it('signals what any process recorded', async () => {
      const other = await harness.open();
      let signals = 0;
      const subscription = await other.onRecorded(() => signals++);
      await record(model, [sandboxEnvelope()]);
      await until(() => signals > 0, 'the signal arrives');
      await subscription.stop();
    });
  });
}
