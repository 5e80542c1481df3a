import type { EventFilter } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { numbers, World, type Reader } from '../test/world';
import type { DeliveryLimits } from './limits';
import type { SubscribeOptions } from './subscription';

const RARE: EventFilter = { workspaceIds: [1], types: ['rare'] };
const turn = () => new Promise<void>((resolve) => setImmediate(resolve));

describe('many that catch up', () => {
  const worlds: World[] = [];
  const started = async (limits: Partial<DeliveryLimits> = {}) => {
    const world = new World({ tailCheckMs: 60_000, warmUpEvents: 0, ...limits });
    worlds.push(world);
    await world.feed.start();
    return world;
  };
  afterEach(async () => {
    await Promise.all(worlds.splice(0).map(({ feed }) => feed.stop()));
  });
  const subscribe = (world: World, count: number, options: Partial<SubscribeOptions>) =>
    Promise.all(Array.from({ length: count }, () => world.subscribe('earliest', options)));
  const lookedAt = (readers: readonly Reader[]) =>
    readers.reduce((sum, { subscription }) => sum + subscription.position.position, 0);

  describe('in the ring', () => {
    const EVENTS = 2_000;
    const withRing = async (limits: Partial<DeliveryLimits>) => {
      const world = await started(limits);
      for (let events = 0; events < EVENTS; events += 100) await world.publishMany(100);
      await world.caughtUp();
      return world;
    };
    /** How many turns pass until this is so, and the most events that were looked at between two of them. */
    const turnsUntil = async (readers: readonly Reader[], isSo: () => boolean) => {
      let [turns, mostInOne] = [0, 0];
      for (let before = lookedAt(readers); !isSo() && turns < 10 * EVENTS; turns++) {
        await turn();
        const now = lookedAt(readers);
        mostInOne = Math.max(mostInOne, now - before);
        before = now;
      }
      return { turns, mostInOne };
    };
    const hasCaughtUp = ({ kinds }: Reader) => kinds.includes('caught_up');

    it('looks at a bounded number of events in one step, whatever matches, and gives the turn back', async () => {
      const world = await withRing({ ringTurnEvents: 100 });
      const [reader] = (await subscribe(world, 1, { filter: RARE })) as [Reader];
      reader.drain();
      expect([reader.kinds, reader.subscription.position.position]).toEqual([[], 100]);
      reader.follow();
      const { turns, mostInOne } = await turnsUntil([reader], () => hasCaughtUp(reader));
      expect(mostInOne).toBeLessThanOrEqual(200);
      expect(turns).toBeGreaterThanOrEqual(9);
      expect(turns).toBeLessThanOrEqual(25);
      await world.publishMany(1, { type: 'rare' });
      await reader.has(EVENTS + 1);
      expect(reader.positions).toEqual([EVENTS + 1]);
    });

    it('has the same bound for all together, also when they come and go', async () => {
      const world = await withRing({ ringTurnEvents: 100, leastRingTurnEvents: 10 });
      for (const reader of await subscribe(world, 50, { filter: RARE })) {
        reader.follow();
        if (reader.subscription.position.position === 0) reader.subscription.close();
      }
      const readers = await subscribe(world, 30, { filter: RARE });
      for (const reader of readers) reader.follow();
      const { mostInOne } = await turnsUntil(readers, () => readers.every(hasCaughtUp));
      expect(readers.every(hasCaughtUp)).toBe(true);
      expect(mostInOne).toBeLessThanOrEqual(200);
    });

    it('gives one subscription its share beside all those of another caller', async () => {
      const world = await withRing({ ringTurnEvents: 100, leastRingTurnEvents: 10 });
      const many = await subscribe(world, 40, { filter: RARE, caller: 'many' });
      for (const reader of many) reader.follow();
      await turn();
      const [one] = (await subscribe(world, 1, { filter: RARE, caller: 'one' })) as [Reader];
      one.follow();
      // Half of each turn.
      const { turns } = await turnsUntil([one], () => hasCaughtUp(one));
      expect(turns).toBeLessThanOrEqual(EVENTS / 50 + 5);
      expect(many.filter(hasCaughtUp).length).toBeLessThan(5);
      await turnsUntil(many, () => many.every(hasCaughtUp));
      expect(many.every(hasCaughtUp)).toBe(true);
    });

    it('serves a storm of short catch-ups of one caller many at a turn', async () => {
      const world = await withRing({ ringTurnEvents: 100, leastRingTurnEvents: 10 });
      const start = await world.cursorAt(EVENTS - 5);
      const readers = await Promise.all(Array.from({ length: 200 }, () => world.subscribe(start)));
      for (const reader of readers) reader.follow();
      const { turns } = await turnsUntil(readers, () => readers.every(hasCaughtUp));
      // Twenty of them.
      expect(turns).toBeLessThanOrEqual(15);
      expect(readers.every(({ positions }) => positions.length === 5)).toBe(true);
    });

    it('looks at nothing for a filter that matches nothing', async () => {
      const world = await withRing({ ringTurnEvents: 100 });
      const [reader] = (await subscribe(world, 1, { filter: { workspaceIds: [1], types: [] } })) as [Reader];
      expect(reader.drain().items).toMatchObject([{ kind: 'caught_up', at: { position: EVENTS } }]);
      expect(reader.subscription.startedAt.position).toBe(0);
      expect(world.feed.counts.liveSubscriptions).toBe(1);
    });
  });

  describe('in the read model', () => {
    const PAGES = 10;

    it('reads the pages of one subscription in its turn beside all those of another caller', async () => {
      const world = await started({ ringEvents: 1, pageEvents: 5, concurrentPageReads: 2 });
      for (let page = 0; page < PAGES; page++) await world.publishMany(5);
      const many = await subscribe(world, 100, { caller: 'many' });
      world.reader.turnsPerRead = 3;
      for (const reader of many) reader.follow();
      while (world.feed.counts.pageReads < 2) await turn();
      const one = await world.subscribe('earliest', { caller: 'one' });
      const before = world.reader.calls.read;
      const reads = new Promise<number>((resolve) => {
        one.subscription.onReadable(() => {
          if (one.drain().kinds.includes('caught_up')) resolve(world.reader.calls.read - before);
        });
      });
      // Beside each of its own those in hand and one turn of the others.
      expect(await reads).toBeLessThanOrEqual(PAGES * 4);
      expect(one.positions).toEqual(numbers(1, PAGES * 5));
      expect(many.some(({ kinds }) => kinds.includes('caught_up'))).toBe(false);
      for (const reader of many) await reader.has(PAGES * 5);
    });

    it('shrinks the pages of a caller who leaves many waiting, and of nobody else', async () => {
      const large = { data: { text: 'x'.repeat(1_800) } };
      const world = await started({
        ringEvents: 1,
        pageEvents: 10,
        waitingPageBytes: 160_000,
        callerWaitingPageBytes: 40_000,
        leastPageBytes: 3_000,
        concurrentPageReads: 1,
      });
      for (let n = 0; n < 60; n++) await world.publishMany(1, large);
      const pageWaits = async (caller: string) => {
        const before = world.feed.counts.waitingPageBytes;
        const reader = (await world.subscribe('earliest', { caller })).drain(1);
        await until(() => world.feed.counts.waitingPageBytes > before, 'a page waits');
        return { reader, bytes: world.feed.counts.waitingPageBytes - before };
      };
      const idle = [];
      while (idle.length < 20) idle.push(await pageWaits('idle'));
      expect(idle[0]?.bytes).toBeGreaterThan(15_000);
      expect(idle.at(-1)?.bytes).toBeLessThan(3_000);
      expect(world.feed.counts.waitingPageBytes).toBeLessThan(40_000 + 20 * 3_000);
      const before = world.reader.calls.read;
      const attentive = (await world.subscribe('earliest', { caller: 'attentive' })).follow();
      await attentive.has(60);
      expect(world.reader.calls.read - before).toBeLessThanOrEqual(7);
      for (const { reader } of idle) reader.subscription.close();
      expect(world.feed.counts.waitingPageBytes).toBe(0);
      expect((await pageWaits('idle')).bytes).toBeGreaterThan(15_000);
    });
  });
});
