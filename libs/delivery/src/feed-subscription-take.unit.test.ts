import { until } from '@sluice/event-log/conformance';
import { DELIVERY_LIMITS, type DeliveryLimits } from './limits';
import type { Subscription } from './subscription';
import { numbers, World } from '../test/world';

describe('Subscription.take, with a maximum', () => {
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
  const subscribe = (world: World, start: 'earliest' | 'latest', stallTimeoutMs = 60_000) =>
    world.feed.subscribe({ filter: { workspaceIds: [1] }, start, stallTimeoutMs });
  const kinds = (subscription: Subscription, most: number): string[] => {
    const found: string[] = [];
    for (let item = subscription.take(most); item; item = subscription.take(most)) {
      found.push(item.kind === 'events' ? `events ${item.events.map(({ position }) => position).join()}` : item.kind);
    }
    return found;
  };

  it('gives no more events than that, of what is queued and of what is in the ring', async () => {
    const world = await started();
    const live = await subscribe(world, 'latest');
    await world.publishMany(5);
    expect(kinds(live, 2)).toEqual(['caught_up', 'events 1,2', 'events 3,4', 'events 5']);
    const fromRing = await subscribe(world, 'earliest');
    expect(kinds(fromRing, 3)).toEqual(['events 1,2,3', 'events 4,5', 'caught_up']);
  });

  it('with 0 gives all but events, and reads nothing for them', async () => {
    const world = await started({ ringEvents: 2 }, 5);
    const behind = await subscribe(world, 'earliest');
    const { read } = world.reader.calls;
    expect(kinds(behind, 0)).toEqual([]);
    expect(world.reader.calls.read).toBe(read);
    const live = await subscribe(world, 'latest');
    expect(kinds(live, 0)).toEqual(['caught_up']);
    await world.publishMany(2);
    expect(kinds(live, 0)).toEqual([]);
    expect(live.position.position).toBe(5);
    expect(kinds(live, 10)).toEqual(['events 6,7']);
    await world.publishMany(1);
    live.close();
    expect(kinds(live, 0)).toEqual(['end']);
  });

  it('with 0 is no sign of life of a subscriber that leaves its events waiting', async () => {
    const world = await started({ stallCheckMs: 5 });
    const [stingy, reading] = [await subscribe(world, 'latest', 50), await subscribe(world, 'latest', 50)];
    const positions: number[] = [];
    stingy.onReadable(() => void kinds(stingy, 0));
    reading.onReadable(() => {
      for (let item = reading.take(1); item; item = reading.take(1)) {
        if (item.kind === 'events') positions.push(...item.events.map(({ position }) => position));
      }
    });
    let isOver = false;
    void stingy.ended.then(() => (isOver = true));
    let published = 0;
    await until(async () => {
      await world.publishMany(1);
      published++;
      return isOver;
    }, 'the one without credit is ended');
    expect(await stingy.ended).toBe('slow_subscriber');
    expect(stingy.position.position).toBe(0);
    // It was woken by each, and its queue was not full.
    expect(published).toBeGreaterThan(1);
    expect(published).toBeLessThan(DELIVERY_LIMITS.queuedEvents);
    expect(positions).toEqual(numbers(1, positions.length));
    expect(positions.length).toBeGreaterThan(1);
  });
});
