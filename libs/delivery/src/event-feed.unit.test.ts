import { MemoryReadModel, type RecordedRun } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { numbers, World } from '../test/world';

const HONEST = { drop: 0, duplicate: 0, hold: 0, split: 0 };
const SILENT = { ...HONEST, drop: 1 };

describe('EventFeed', () => {
  const worlds: World[] = [];
  const start = async (world: World, before = 0) => {
    worlds.push(world);
    if (before > 0) await world.publishMany(before);
    await world.feed.start();
    return world;
  };
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map(({ feed }) => feed.stop()));
  });

  it('passes runs on without reading, and skips what it has shown', async () => {
    const world = await start(new World({ tailCheckMs: 60_000 }));
    const reader = (await world.subscribe('latest')).follow();
    const first = await world.publishMany(3);
    await world.deliveryLog.publish(first);
    await world.publishMany(2);
    await world.deliveryLog.publish(first);
    await reader.has(5);
    expect(reader.positions).toEqual([1, 2, 3, 4, 5]);
    expect(world.reader.calls).toMatchObject({ readAll: 0, read: 0 });
    expect(world.counted).toMatchObject({ published: 5, delivered: 5 });
  });

  it('reads what a gap leaves out at once, and what came behind the gap not again', async () => {
    const world = await start(new World({ tailCheckMs: 60_000 }));
    const reader = (await world.subscribe('latest')).follow();
    await world.record({}, {});
    await world.publishMany(4);
    await reader.has(6);
    expect(reader.positions).toEqual(numbers(1, 6));
    expect(world.counted['gapFilled']).toBe(2);
    expect(world.reader.calls.readAll).toBe(1);
  });

  it('fills a long gap in pages, holding back no more than its bound', async () => {
    const world = await start(new World({ gapPageEvents: 7, pendingEvents: 10, sliceEvents: 5, tailCheckMs: 60_000 }));
    const reader = (await world.subscribe('latest')).follow();
    await world.record(...Array.from({ length: 100 }, () => ({})));
    const release = world.reader.holdReads();
    for (let n = 0; n < 30; n++) await world.publishMany(1);
    expect(world.feed.counts.pendingEvents).toBe(10);
    expect(world.feed.lagEvents).toBe(130);
    release();
    await reader.has(130);
    expect(reader.positions).toEqual(numbers(1, 130));
    expect(world.feed.lagEvents).toBe(0);
  });

  it('finds what the delivery log lost at the end', async () => {
    const world = await start(new World({}, new HostileDeliveryLog(1, SILENT)));
    const reader = (await world.subscribe('latest')).follow();
    await world.publishMany(5);
    await reader.has(5);
    expect(reader.positions).toEqual(numbers(1, 5));
  });

  it('works without a delivery log and follows it as soon as it can', async () => {
    const log = new HostileDeliveryLog(1, HONEST);
    log.reachable = false;
    const world = await start(new World({}, log));
    expect(world.feed.followsDeliveryLog).toBe(false);
    const reader = (await world.subscribe('latest')).follow();
    await world.record({}, {});
    await reader.has(2);
    log.reachable = true;
    await until(() => world.feed.followsDeliveryLog, 'the log is followed');
    await world.publishMany(1);
    await reader.has(3);
    expect(reader.positions).toEqual([1, 2, 3]);
    expect(world.faults).not.toEqual([]);
    await world.feed.stop();
    expect(log.followerCount).toBe(0);
  });

  it('survives a read model that fails for a while, and says so', async () => {
    const world = await start(new World());
    const reader = (await world.subscribe('latest')).follow();
    await world.record({});
    world.reader.failNext(6);
    await world.publishMany(1);
    await reader.has(2);
    expect(reader.positions).toEqual([1, 2]);
    expect(world.faults.length).toBeGreaterThanOrEqual(6);
  });

  it('rejects the start when the read model is away, and can be started again', async () => {
    const world = new World();
    worlds.push(world);
    await world.publishMany(3);
    world.reader.failNext(1);
    await expect(world.feed.start()).rejects.toMatchObject({ code: 'read_model_unavailable' });
    await expect(world.feed.subscribe({ filter: { workspaceIds: [1] }, start: 'latest' })).rejects.toMatchObject({
      code: 'read_model_unavailable',
    });
    await world.feed.start();
    expect(world.feed.head.position).toBe(3);
  });

  it('puts the newest events into the ring at the start', async () => {
    const world = await start(new World({ warmUpEvents: 10, gapPageEvents: 4 }), 50);
    expect(world.feed.counts.ringEvents).toBe(10);
    const reader = (await world.subscribe(await world.cursorAt(40))).drain();
    expect(reader.positions).toEqual(numbers(41, 50));
    expect(world.reader.calls.read).toBe(0);
  });

  it('misses nothing that is published while it starts', async () => {
    const world = new World({ tailCheckMs: 60_000 });
    worlds.push(world);
    const starting = world.feed.start();
    await world.publishMany(2);
    await starting;
    const reader = (await world.subscribe('earliest')).follow();
    await world.publishMany(1);
    await reader.has(3);
    expect(reader.positions).toEqual([1, 2, 3]);
  });

  it('bounds the ring by bytes', async () => {
    const world = await start(new World({ ringBytes: 4_000 }));
    await world.publishMany(50);
    await world.caughtUp();
    expect(world.feed.counts.ringBytes).toBeGreaterThan(3_000);
    expect(world.feed.counts.ringBytes).toBeLessThanOrEqual(4_000);
  });

  it('does not believe positions that the read model does not have', async () => {
    const world = await start(new World({ tailCheckMs: 60_000 }), 2);
    const reader = (await world.subscribe('latest')).follow();
    const other = new World();
    const foreign = await other.publishMany(9);
    const { epoch } = world.feed.head;
    await world.deliveryLog.publish({ epoch, events: foreign.events.slice(7) });
    await until(() => world.feed.counts.pendingEvents === 0, 'they are forgotten');
    expect(world.feed.lagEvents).toBe(0);
    await world.publishMany(1);
    await reader.has(3);
    expect(reader.positions).toEqual([3]);
  });

  describe('when the epoch changes', () => {
    const change = async (world: World, events: number): Promise<RecordedRun> => {
      world.reader.model = new MemoryReadModel();
      return world.record(...Array.from({ length: events }, () => ({})));
    };

    it('restarts at the new head and resets every subscription, be it told by a run or by the read model', async () => {
      for (const [tell, newHead] of [
        [true, 4],
        [false, 25],
      ] as const) {
        const world = await start(new World({ ringEvents: 2, tailCheckMs: tell ? 60_000 : 2 }), 10);
        const live = (await world.subscribe('latest')).drain();
        const backfilling = (await world.subscribe('earliest')).drain();
        const old = await world.cursorAt(10);
        const run = await change(world, newHead);
        if (tell) await world.deliveryLog.publish(run);
        await until(() => world.feed.head.epoch === run.epoch, 'the feed restarts');
        expect(live.subscription.position).toEqual(old);
        for (const reader of [live, backfilling]) {
          reader.follow();
          await until(() => reader.kinds.includes('reset'), 'the reset is told');
          expect(reader.items.find(({ kind }) => kind === 'reset')).toEqual({
            kind: 'reset',
            reason: 'epoch_changed',
            at: { epoch: run.epoch, position: newHead },
          });
          expect(reader.subscription.position).toEqual({ epoch: run.epoch, position: newHead });
        }
        await world.publishMany(1);
        await live.has(newHead + 1);
        await backfilling.has(newHead + 1);
        expect(live.positions).toEqual([newHead + 1]);
        expect(backfilling.positions).toEqual([newHead + 1]);
        expect(backfilling.kinds).toEqual(['reset', 'caught_up', 'events']);
      }
    });

    it('is not taken back by a late run of the former epoch', async () => {
      const world = await start(new World({ tailCheckMs: 60_000 }));
      const late = await world.record({}, {});
      const run = await change(world, 3);
      await world.deliveryLog.publish(run);
      await until(() => world.feed.head.epoch === run.epoch, 'the feed restarts');
      const reader = (await world.subscribe('latest')).follow();
      const reads = world.reader.calls.head;
      await world.deliveryLog.publish(late);
      await until(() => world.reader.calls.head > reads, 'the read model is asked');
      await world.publishMany(1);
      await reader.has(4);
      expect(reader.kinds).toEqual(['caught_up', 'events']);
    });

    it('does not show a page of the new numbering as one of the old', async () => {
      const world = await start(new World({ ringEvents: 2, tailCheckMs: 60_000 }), 10);
      const reader = await world.subscribe('earliest');
      const run = await change(world, 10);
      reader.follow();
      await until(() => reader.kinds.includes('reset'), 'the reset is told');
      expect(reader.positions).toEqual([]);
      expect(world.feed.head).toEqual({ epoch: run.epoch, position: 10 });
    });

    it('does not carry a page of the old numbering over into the new one', async () => {
      const world = await start(new World({ tailCheckMs: 60_000 }));
      const reader = (await world.subscribe('latest')).follow();
      const release = world.reader.holdReads();
      await world.record({}, {});
      await world.publishMany(1);
      await until(() => world.reader.calls.readAll === 1, 'the gap is read');
      await change(world, 0);
      release();
      await until(() => reader.kinds.includes('reset'), 'the reset is told');
      const { events } = await world.publishMany(1);
      await reader.has(1);
      const shown = reader.items.flatMap((item) => (item.kind === 'events' ? item.events : []));
      expect(shown.map(({ json }) => json)).toEqual(events.map(({ json }) => json));
    });

    it('does not fill a gap with events of the new numbering', async () => {
      const world = await start(new World({ tailCheckMs: 60_000 }));
      const reader = (await world.subscribe('latest')).follow();
      await world.record({});
      const behindGap = await world.record({});
      const run = await change(world, 5);
      await world.deliveryLog.publish(behindGap);
      await until(() => reader.kinds.includes('reset'), 'the reset is told');
      expect(reader.positions).toEqual([]);
      expect(world.feed.head).toEqual({ epoch: run.epoch, position: 5 });
    });
  });

  it('ends everything when it stops, after what was queued', async () => {
    const world = await start(new World(), 3);
    const reader = await world.subscribe('latest');
    await world.publishMany(2);
    const expectation = world.feed.expect(['never']);
    const within = expectation.within(60_000);
    await world.feed.stop();
    await world.feed.stop();
    expect((await within).events).toEqual(new Map());
    expect(await reader.subscription.ended).toBe('shutting_down');
    reader.drain();
    expect(reader.kinds).toEqual(['caught_up', 'events', 'end']);
    expect(reader.positions).toEqual([4, 5]);
    expect(reader.end?.at.position).toBe(5);
    await expect(world.subscribe('latest')).rejects.toMatchObject({ code: 'shutting_down' });
    expect(world.feed.counts).toMatchObject({ subscriptions: 0, liveSubscriptions: 0, expectedIds: 0 });
  });
});
