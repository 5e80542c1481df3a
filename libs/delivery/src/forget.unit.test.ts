import { toPosition } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { HostileDeliveryLog } from '../test/hostile-delivery-log';
import { numbers, World, type Reader } from '../test/world';

const ERASED = { workspaceId: 1, family: 'sandbox', entityId: 'erased' } as const;
const BOUNDS = { maxEvents: 1_000, maxBytes: 1e9 };

describe('a feed whose delivery log forgets', () => {
  let world: World;
  const start = async (limits: ConstructorParameters<typeof World>[0] = {}) => {
    world = new World({ tailCheckMs: 60_000, ...limits });
    await world.feed.start();
  };
  afterEach(() => world.feed.stop());

  /** Three events, of which the second one is of the entity that is erased. */
  const publish = () => world.recordAndPublish({}, { entityId: ERASED.entityId, data: { text: 'gone' } }, {});
  const erase = async () => {
    const { position } = await world.reader.model.head();
    await world.reader.model.removed.removeOfEntity(ERASED, position, BOUNDS);
    await world.deliveryLog.forget();
  };
  const has = (reader: Reader, count: number) => until(() => reader.drain().positions.length >= count, 'all is taken');
  const texts = (reader: Reader) => JSON.stringify(reader.items);

  it('drops what waits for a live subscriber, who gets the rest from the read model, each once', async () => {
    await start();
    const reader = (await world.subscribe('latest')).drain();
    await publish();
    await world.caughtUp();
    await erase();
    await has(reader, 2);
    expect(texts(reader)).not.toContain('gone');
    await publish();
    await has(reader, 5);
    expect(reader.positions).toEqual([1, 3, 4, 5, 6]);
    // It was told once that it has caught up, and of nothing else.
    expect(reader.kinds.filter((kind) => kind !== 'events')).toEqual(['caught_up']);
    expect(reader.subscription.position.position).toBe(6);
  });

  it('holds nothing more of what it had, and serves recent cursors from the read model', async () => {
    await start();
    await publish();
    await world.caughtUp();
    expect(world.feed.counts.ringEvents).toBe(3);
    await erase();
    expect(world.feed.counts).toMatchObject({ ringEvents: 0, ringBytes: 0, pendingEvents: 0 });
    const reader = await world.subscribe(await world.cursorAt(0));
    await has(reader, 2);
    expect(reader.positions).toEqual([1, 3]);
    expect(texts(reader)).not.toContain('gone');
    expect(reader.subscription.reset).toBeUndefined();
  });

  it('does not use a page that was read before', async () => {
    await start({ ringEvents: 1 });
    await publish();
    await world.caughtUp();
    const release = world.reader.holdReads();
    const reader = (await world.subscribe(await world.cursorAt(0))).follow();
    await until(() => world.reader.calls.read === 1, 'the page is being read');
    await erase();
    release();
    await reader.has(3);
    expect(reader.positions).toEqual([1, 3]);
    expect(texts(reader)).not.toContain('gone');
  });

  it('reads a gap again that was read before', async () => {
    await start();
    const reader = (await world.subscribe('latest')).follow();
    const release = world.reader.holdReads();
    await world.record({}, { entityId: ERASED.entityId, data: { text: 'gone' } });
    await world.publishMany(1);
    await until(() => world.reader.calls.readAll === 1, 'the gap is being read');
    await erase();
    release();
    await reader.has(3);
    expect(reader.positions).toEqual([1, 3]);
    expect(texts(reader)).not.toContain('gone');
  });

  it('drops what it had read while the delivery log was away: it was not told what that forgot', async () => {
    const deliveryLog = new HostileDeliveryLog(1, { drop: 0, duplicate: 0, hold: 0, split: 0 });
    deliveryLog.reachable = false;
    world = new World({ tailCheckMs: 5 }, deliveryLog);
    await world.feed.start();
    const reader = (await world.subscribe('latest')).drain();
    await world.record({}, { entityId: ERASED.entityId, data: { text: 'gone' } }, {});
    await until(() => world.feed.counts.ringEvents === 3, 'it has read them');
    const { position } = await world.reader.model.head();
    await world.reader.model.removed.removeOfEntity(ERASED, position, BOUNDS);
    deliveryLog.reachable = true;
    await until(() => deliveryLog.followerCount === 1, 'it follows the delivery log');
    expect(world.feed.counts).toMatchObject({ ringEvents: 0, pendingEvents: 0 });
    const late = await world.subscribe(await world.cursorAt(0));
    for (const each of [reader, late]) {
      await has(each, 2);
      expect(each.positions).toEqual([1, 3]);
      expect(texts(each)).not.toContain('gone');
    }
  });

  it('goes on while many events come between (G2)', async () => {
    await start({ ringEvents: 8, sliceEvents: 3, queuedEvents: 1_000 });
    const readers = [(await world.subscribe('latest')).follow(), await world.subscribe('latest')];
    for (let n = 0; n < 40; n++) {
      await world.publishMany(5);
      if (n % 7 === 3) await world.deliveryLog.forget();
      readers[1]?.drain(n % 3);
    }
    for (const reader of readers) {
      await has(reader, 200);
      expect(reader.positions).toEqual(numbers(1, 200));
      expect(reader.subscription.position.position).toBe(toPosition(200));
    }
  });
});
