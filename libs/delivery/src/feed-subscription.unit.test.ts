import { until } from '@sluice/event-log/conformance';
import { newEpoch, type CursorPlace, type StartPlace } from '@sluice/event-log';
import type { DeliveryLimits } from './limits';
import type { SubscribeOptions } from './subscription';
import { numbers, World, type Reader } from '../test/world';

describe('Subscription, until it is live', () => {
  const worlds: World[] = [];
  const started = async (limits: Partial<DeliveryLimits> = {}, before = 0) => {
    const world = new World({ tailCheckMs: 60_000, warmUpEvents: 0, ...limits });
    worlds.push(world);
    if (before > 0) await world.publishMany(before);
    await world.feed.start();
    return world;
  };
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map(({ feed }) => feed.stop()));
  });
  const hasEnded = (reader: Reader) => until(() => reader.drain().end !== undefined, 'the end is told');

  describe('start', () => {
    it('begins after a cursor, before everything, or after everything', async () => {
      const world = await started({}, 6);
      for (const [start, expected] of [
        [await world.cursorAt(4), [5, 6]],
        ['earliest', numbers(1, 6)],
        ['latest', []],
      ] as const) {
        const reader = (await world.subscribe(start)).follow();
        await until(() => reader.kinds.includes('caught_up'), 'it catches up');
        expect(reader.positions).toEqual(expected);
        expect(reader.subscription.reset).toBeUndefined();
        expect(reader.subscription.startedAt.position).toBe(6 - expected.length);
      }
    });

    it('begins at the head with a reset for a cursor of another epoch', async () => {
      const world = await started({}, 3);
      const requested = { epoch: newEpoch(), position: 2 } as CursorPlace;
      const { subscription, positions } = (await world.subscribe(requested)).drain();
      expect(subscription.reset).toEqual({ reason: 'epoch_changed', requested });
      expect(subscription.startedAt).toEqual(world.feed.head);
      expect(positions).toEqual([]);
    });

    it('honours a cursor that is ahead of the feed and not of the read model', async () => {
      const world = await started({}, 3);
      const missed = await world.record({}, {}, {});
      const reader = (await world.subscribe(await world.cursorAt(5))).follow();
      expect(reader.subscription.reset).toBeUndefined();
      expect(reader.subscription.position.position).toBe(5);
      await world.deliveryLog.publish(missed);
      await world.publishMany(1);
      await reader.has(7);
      expect(reader.positions).toEqual([6, 7]);
    });

    it('resets a cursor that is ahead of everything', async () => {
      const world = await started({}, 3);
      const { subscription } = await world.subscribe(await world.cursorAt(4));
      expect(subscription.reset?.reason).toBe('future_cursor');
      expect(subscription.startedAt.position).toBe(3);
      expect(world.counted['reset']).toBe(1);
    });

    it('asks the read model once for many unknown cursors', async () => {
      const world = await started({}, 3);
      const start = await world.cursorAt(9);
      const reads = world.reader.calls.head;
      await Promise.all(numbers(1, 100).map(() => world.subscribe(start)));
      expect(world.reader.calls.head - reads).toBeLessThanOrEqual(2);
    });

    it('is refused above the number of subscriptions, and for a filter that names too much', async () => {
      const world = await started({ subscriptions: 2, filterTerms: 3 });
      const { subscription } = await world.subscribe('latest');
      await world.subscribe('latest');
      await expect(world.subscribe('latest')).rejects.toMatchObject({ code: 'overloaded', retryable: true });
      subscription.close();
      const filter = { workspaceIds: [1, 2], entityIds: ['a', 'b'] };
      await expect(world.subscribe('latest', { filter })).rejects.toMatchObject({ code: 'invalid_request' });
      const prefixes = { workspaceIds: [1], entityIdPrefixes: ['a', 'b', 'c'] };
      await expect(world.subscribe('latest', { filter: prefixes })).rejects.toMatchObject({
        code: 'invalid_request',
        where: 'entityIdPrefixes',
      });
      await world.subscribe('latest', { filter: { workspaceIds: [1], entityIdPrefixes: ['a', 'b'] } });
    });
  });

  describe('backfill and cutover', () => {
    it('reads pages only as they are taken, then the ring, then goes live', async () => {
      const world = await started({ ringEvents: 10, pageEvents: 5, batchEvents: 3 }, 20);
      await world.publishMany(10);
      const reader = await world.subscribe(await world.cursorAt(0));
      reader.drain();
      await until(() => reader.drain(1).items.length === 1, 'the first batch comes');
      await new Promise((resolve) => setImmediate(resolve));
      expect(world.reader.calls.read).toBe(1);
      expect(reader.subscription.position.position).toBe(3);
      reader.follow();
      await until(() => reader.kinds.includes('caught_up'), 'it catches up');
      expect(world.reader.calls.read).toBe(4);
      await world.publishMany(2);
      await reader.has(32);
      expect(reader.positions).toEqual(numbers(1, 32));
      expect(reader.kinds.filter((kind) => kind === 'caught_up')).toHaveLength(1);
      expect(reader.items.findIndex(({ kind }) => kind === 'caught_up')).toBe(
        reader.items.findIndex((item) => item.kind === 'events' && item.events.at(-1)?.position === 30) + 1,
      );
    });

    it('has neither gap nor duplicate when events come at any moment of the cutover', async () => {
      for (const eventsWhileReading of [0, 1, 4, 5, 6, 30]) {
        const world = await started({ ringEvents: 5, batchEvents: 2 }, 12);
        const reader = (await world.subscribe(await world.cursorAt(2))).follow();
        const release = world.reader.holdReads();
        await until(() => world.reader.calls.read === 1, 'the page is read');
        if (eventsWhileReading > 0) await world.publishMany(eventsWhileReading);
        release();
        const head = 12 + eventsWhileReading;
        if (eventsWhileReading > 0) await reader.has(head);
        for (let n = 1; n <= 3; n++) {
          await world.publishMany(1);
          await reader.has(head + n);
        }
        expect(reader.positions).toEqual(numbers(3, head + 3));
      }
    });

    it('goes back to the read model when the ring moves past a slow backfill, holding nothing meanwhile', async () => {
      const world = await started({ ringEvents: 4, batchEvents: 2 });
      await world.publishMany(4);
      const reader = (await world.subscribe('earliest', { maxQueuedEvents: 1 })).drain(1);
      expect(reader.positions).toEqual([1, 2]);
      await world.publishMany(20);
      expect(reader.subscription.position.position).toBe(2);
      expect(world.feed.counts.liveSubscriptions).toBe(0);
      reader.follow();
      await reader.has(24);
      expect(reader.positions).toEqual(numbers(1, 24));
      expect(world.reader.calls.read).toBeGreaterThan(0);
    });

    it('serves recent cursors from the ring without a read', async () => {
      const world = await started();
      await world.publishMany(500);
      await world.caughtUp();
      const reader = (await world.subscribe(await world.cursorAt(100))).drain();
      expect(reader.positions).toEqual(numbers(101, 500));
      expect(world.reader.calls.read).toBe(0);
    });

    it('bounds the reads at the same time, for whatever many backfills', async () => {
      const world = await started({ ringEvents: 1, concurrentPageReads: 3 }, 20);
      const start = await world.cursorAt(0);
      const readers = await Promise.all(numbers(1, 40).map(() => world.subscribe(start)));
      const release = world.reader.holdReads();
      for (const reader of readers) reader.follow();
      await until(() => world.reader.calls.read === 3, 'some reads are in hand');
      expect(world.feed.counts.pageReads).toBe(3);
      release();
      for (const reader of readers) await reader.has(20);
      expect(world.reader.mostReadsAtOnce).toBe(3);
      expect(world.feed.counts.pageReads).toBe(0);
    });

    const large = { data: { text: 'x'.repeat(1_800) } };
    /** The page has been read and nothing of it was taken. */
    const pageWaits = async (world: World, start: StartPlace, options: Partial<SubscribeOptions> = {}) => {
      const before = world.feed.counts.waitingPageBytes;
      const reader = (await world.subscribe(start, options)).drain(1);
      await until(() => world.feed.counts.waitingPageBytes > before, 'a page waits');
      return { reader, bytes: world.feed.counts.waitingPageBytes - before };
    };

    it('bounds a page by bytes, whatever the events before it weighed', async () => {
      const world = await started({ ringEvents: 1, pageEvents: 1_000, pageBytes: 8_000 }, 40);
      for (let n = 0; n < 60; n++) await world.publishMany(1, large);
      const { reader, bytes } = await pageWaits(world, await world.cursorAt(30));
      // Ten small ones and three large ones; an event weighs a little more than its envelope, which is counted.
      expect(bytes).toBeGreaterThan(4_000);
      expect(bytes).toBeLessThan(10_000);
      reader.follow();
      await reader.has(100);
      expect(reader.positions).toEqual(numbers(31, 100));
      expect(world.reader.calls.read).toBeGreaterThan(15);
      expect(world.feed.counts.waitingPageBytes).toBe(0);
    });

    it('looks for rare events in bounded steps, and tells how far it has come', async () => {
      const world = await started({ ringEvents: 1, scanPositions: 10 }, 94);
      await world.publishMany(1, { type: 'rare' });
      await world.publishMany(5);
      const filter = { workspaceIds: [1], types: ['rare'] };
      const reader = await world.subscribe(await world.cursorAt(0), { filter });
      reader.drain();
      await until(() => reader.subscription.position.position === 10, 'the first step is over');
      reader.follow();
      await until(() => reader.kinds.includes('caught_up'), 'it catches up');
      expect(reader.positions).toEqual([95]);
      expect(world.reader.calls.read).toBe(10);
      const ofEntity = await world.subscribe(await world.cursorAt(0), {
        filter: { ...filter, entityIds: ['sandbox-123'] },
      });
      ofEntity.follow();
      await until(() => ofEntity.kinds.includes('caught_up'), 'it catches up');
      expect(world.reader.calls.read).toBe(11);
    });

    it('finds the entities with a prefix in bounded steps, and gives those that come later', async () => {
      const world = await started({ ringEvents: 1, scanPositions: 10 }, 24);
      await world.publishMany(1, { entityId: '1:7' });
      await world.publishMany(1, { entityId: '11:7' });
      await world.publishMany(5);
      const reader = await world.subscribe(await world.cursorAt(0), {
        filter: { workspaceIds: [1], entityIdPrefixes: ['1:'] },
      });
      reader.follow();
      await until(() => reader.kinds.includes('caught_up'), 'it catches up');
      expect(reader.positions).toEqual([25]);
      expect(world.reader.calls.read).toBe(3);
      await world.publishMany(1, { entityId: '11:8' });
      await world.publishMany(1, { entityId: '1:8' });
      await reader.has(33);
      expect(reader.positions).toEqual([25, 33]);
    });

    it('asks the read model nothing for a filter that matches nothing', async () => {
      const world = await started({ ringEvents: 1, scanPositions: 10 }, 94);
      const { head } = world.reader.calls;
      const reader = await world.subscribe('earliest', { filter: { workspaceIds: [1], types: [] } });
      reader.follow();
      await until(() => reader.kinds.includes('caught_up'), 'it catches up');
      await world.publishMany(3);
      await until(() => reader.subscription.position.position === 97, 'its place moves on');
      expect([reader.positions, world.reader.calls.read, world.reader.calls.head - head]).toEqual([[], 0, 0]);
    });

    it('reads pages no larger than the queue that the subscriber asked for', async () => {
      const world = await started({ ringEvents: 1 });
      for (let n = 0; n < 20; n++) await world.publishMany(1, large);
      const { bytes } = await pageWaits(world, 'earliest', { maxQueuedBytes: 5_000 });
      expect(bytes).toBeLessThan(6_000);
    });

    it('bounds the pages of all that take nothing, and keeps no other subscriber waiting', async () => {
      const limits = { waitingPageBytes: 40_000, leastPageBytes: 3_000, concurrentPageReads: 2 };
      const world = await started({ ringEvents: 1, ...limits });
      for (let n = 0; n < 60; n++) await world.publishMany(1, large);
      const idle: { reader: Reader; bytes: number }[] = [];
      while (idle.length < 12) idle.push(await pageWaits(world, 'earliest'));
      expect(idle[0]?.bytes).toBeGreaterThan(15_000);
      // One event each, once little is left.
      expect(idle.at(-1)?.bytes).toBeLessThan(3_000);
      expect(world.feed.counts.waitingPageBytes).toBeLessThan(40_000 + 12 * 3_000);
      const attentive = (await world.subscribe('earliest')).follow();
      await attentive.has(60);
      expect(attentive.positions).toEqual(numbers(1, 60));
      for (const { reader } of idle) reader.subscription.close();
      expect(world.feed.counts.waitingPageBytes).toBe(0);
    });

    it('repeats a failed page, and ends as failed when it keeps failing; a resume goes on', async () => {
      const world = await started({ ringEvents: 1, pageAttempts: 3, pageEvents: 4 }, 12);
      const reader = await world.subscribe('earliest');
      world.reader.failNext(2);
      reader.follow();
      await reader.has(12);
      const cut = await world.subscribe('earliest');
      await until(() => cut.drain(1).items.length === 1, 'the first page comes');
      world.reader.failNext(1_000);
      await hasEnded(cut);
      world.reader.failNext(0);
      expect(cut.end).toMatchObject({ reason: 'failed', at: { position: 4 } });
      expect(await cut.subscription.ended).toBe('failed');
      const resumed = (await world.subscribe(cut.end?.at ?? 'latest')).follow();
      await resumed.has(12);
      expect([...cut.positions, ...resumed.positions]).toEqual(numbers(1, 12));
    });

    it('forgets a page that comes after it was closed', async () => {
      const world = await started({ ringEvents: 1 }, 5);
      const reader = (await world.subscribe(await world.cursorAt(0))).follow();
      const release = world.reader.holdReads();
      await until(() => world.reader.calls.read === 1, 'the page is read');
      reader.subscription.close();
      release();
      await until(() => world.feed.counts.pageReads === 0, 'the read is over');
      await hasEnded(reader);
      expect(reader.kinds).toEqual(['end']);
      expect(reader.end).toMatchObject({ reason: 'closed', at: { position: 0 } });
      expect(world.feed.counts).toMatchObject({ subscriptions: 0, liveSubscriptions: 0 });
    });
  });
});
