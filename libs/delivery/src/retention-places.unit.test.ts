import { decodeCursor, MemoryReadModel } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { retire } from '../test/removing';
import { numbers, resetsOf, World } from '../test/world';

/** Pages of three events, and a ring of four. */
const LIMITS = { pageEvents: 3, ringEvents: 4, warmUpEvents: 2, gapPageEvents: 4, earliestReadMs: 60_000 };

describe('a place that knows what is not kept any more', () => {
  let world: World;
  beforeEach(() => {
    world = new World(LIMITS);
  });
  afterEach(() => world.feed.stop());

  const start = async (events: number) => {
    await world.record(...Array.from({ length: events }, () => ({})));
    await world.feed.start();
  };

  describe('begun at `earliest` and cut before its first event', () => {
    const cutAtOnce = async () => {
      const { subscription } = await world.subscribe('earliest');
      const { startedAt, position } = subscription;
      subscription.close();
      expect(position).toEqual(startedAt);
      return startedAt;
    };

    it('says nothing of what was gone before it began', async () => {
      await start(20);
      await retire(world, 8);
      const resumed = (await world.subscribe(await cutAtOnce())).follow();
      await resumed.has(20);
      expect([resetsOf(resumed.items), resumed.positions]).toEqual([[], numbers(9, 20)]);
    });

    it('tells of what went between, or before its first page was read (G5)', async () => {
      await start(20);
      await retire(world, 4);
      const at = await cutAtOnce();
      const uncut = await world.subscribe('earliest');
      await retire(world, 4);
      for (const reader of [uncut, await world.subscribe(at)]) {
        await reader.follow().has(20);
        expect([resetsOf(reader.items), reader.positions]).toEqual([[['no_longer_kept', 8]], numbers(9, 20)]);
      }
    });

    it('begins without knowing what is gone where that cannot be read soon, and is told of it', async () => {
      world = new World({ ...LIMITS, earliestReadMs: 1 });
      await start(20);
      await retire(world, 8);
      const release = world.reader.holdReads();
      const reader = await world.subscribe('earliest');
      release();
      await reader.follow().has(20);
      expect([resetsOf(reader.items), reader.positions]).toEqual([[['no_longer_kept', 8]], numbers(9, 20)]);
    });

    it('knows nothing in a numbering that began meanwhile (G5)', async () => {
      await start(20);
      await retire(world, 8);
      const release = world.reader.holdReads();
      const subscribing = world.subscribe('earliest');
      await until(() => world.reader.calls.read === 1, 'it is read what is gone');
      const other = new MemoryReadModel();
      world.reader.model = other;
      release();
      const { subscription } = await subscribing;
      expect(subscription.startedAt).toEqual({ epoch: (await other.head()).epoch, position: 0 });
    });
  });

  describe('of families that are kept for different times', () => {
    /** Sandbox events at the odd positions, session events at the even ones. */
    const startMixed = async (events: number) => {
      await world.record(
        ...numbers(1, events).map((n) => (n % 2 === 0 ? { family: 'session' as const, entityId: 's' } : {})),
      );
      await world.feed.start();
    };
    const even = (from: number, to: number) => numbers(from, to).filter((n) => n % 2 === 0);

    it('gives all that is kept to who begins at `earliest`, without a word, also when it is cut and resumes (G5)', async () => {
      await startMixed(20);
      await retire(world, 8);
      const first = (await world.subscribe('earliest')).drain();
      await until(() => first.drain().positions.length === 3, 'the first page is taken');
      const at = first.subscription.position;
      first.subscription.close();
      expect([first.positions, at]).toEqual([
        [2, 4, 6],
        { epoch: at.epoch, position: 6, revision: expect.any(Number) },
      ]);
      const cursor = first.items.flatMap((item) => (item.kind === 'events' ? item.events : [])).at(-1)?.cursor ?? '';
      expect(decodeCursor(cursor)).toEqual(at);
      const resumed = (await world.subscribe(decodeCursor(cursor))).follow();
      await resumed.has(20);
      expect([resetsOf(resumed.items), resumed.positions]).toEqual([[], [...even(8, 16), ...numbers(17, 20)]]);
      // Where nothing is missing any more, nothing needs to be said of it.
      expect(resumed.subscription.position).toEqual({ epoch: at.epoch, position: 20 });
    });

    it('tells of what goes after it began, once, and skips nothing that is kept (G5)', async () => {
      await startMixed(20);
      await retire(world, 10);
      const reader = (await world.subscribe('earliest')).drain();
      await until(() => reader.drain().positions.length === 3, 'the first page is taken');
      // Beyond the next page, which may have been read already, and lower than what was gone before.
      await retire(world, 7, { family: 'session' });
      await until(() => reader.drain().positions.includes(20), 'it goes on');
      expect(resetsOf(reader.items)).toHaveLength(1);
      expect(reader.positions.filter((position) => position > 12)).toEqual([16, 18, 20]);
    });

    it('tells who comes with an old cursor once, and what is kept follows', async () => {
      await startMixed(20);
      await retire(world, 8);
      const reader = (await world.subscribe(await world.cursorAt(2))).follow();
      await reader.has(20);
      const { epoch } = reader.subscription.position;
      expect(reader.items.filter(({ kind }) => kind === 'reset')).toEqual([
        { kind: 'reset', reason: 'no_longer_kept', at: { epoch, position: 3, revision: expect.any(Number) } },
      ]);
      expect(reader.positions).toEqual([...even(4, 16), ...numbers(17, 20)]);
      // The place in the reset needs no further one.
      const [reset] = reader.items.filter((item) => item.kind === 'reset');
      const resumed = (await world.subscribe(reset?.at ?? 'earliest')).follow();
      await resumed.has(20);
      expect([resetsOf(resumed.items), resumed.positions]).toEqual([[], reader.positions]);
    });

    it('tells a live subscriber of all removals by one reset, whose place knows of them', async () => {
      await world.feed.start();
      const live = (await world.subscribe('latest')).drain();
      const release = world.reader.holdReads();
      await world.record({ family: 'session', entityId: 's' }, {}, {});
      await retire(world, 1);
      await retire(world, 1, { family: 'session' });
      release();
      await until(() => live.drain().positions.includes(3), 'it goes on');
      const [reset] = live.items.flatMap((item) => (item.kind === 'reset' ? [item.at] : []));
      expect([resetsOf(live.items), reset?.revision]).toEqual([[['no_longer_kept', 1]], expect.any(Number)]);
      const resumed = (await world.subscribe(reset ?? 'earliest')).follow();
      await resumed.has(3);
      expect(resetsOf(resumed.items)).toEqual([]);
    });

    describe('and whose cursor is taken to a wider filter', () => {
      const narrow = { filter: { workspaceIds: [1], families: ['session' as const] } };
      /** The last cursor of a reader of session events that has had the ones up to a position, and knows of what is gone. */
      const cursorOfNarrow = async (position: number) => {
        const reader = (await world.subscribe('earliest', narrow)).drain();
        await until(() => reader.drain(1).positions.includes(position), 'it has it');
        const events = reader.items.flatMap((item) => (item.kind === 'events' ? item.events : []));
        reader.subscription.close();
        return decodeCursor(events.find((event) => event.position === position)?.cursor ?? '');
      };

      it('gives all that is kept of what it finds, and tells nothing of what went from it before (G4, G5)', async () => {
        await startMixed(20);
        await retire(world, 5);
        await retire(world, 5, { family: 'session' });
        await retire(world, 1, { family: 'session' });
        const reader = (await world.subscribe('earliest', narrow)).drain();
        reader.subscription.close();
        expect(reader.subscription.startedAt.revision).toBeGreaterThan(0);
        const wide = (await world.subscribe(reader.subscription.startedAt)).follow();
        await wide.has(20);
        expect([resetsOf(wide.items), wide.positions]).toEqual([[], [11, 13, 14, 15, 16, 17, 18, 19, 20]]);
      });

      it('tells of what goes after it was given (G5)', async () => {
        await startMixed(20);
        await retire(world, 3, { family: 'session' });
        const at = await cursorOfNarrow(8);
        await retire(world, 6);
        const wide = (await world.subscribe(at)).follow();
        await wide.has(20);
        expect(resetsOf(wide.items)).toHaveLength(1);
        expect(wide.positions).toEqual([10, ...numbers(12, 20)]);
      });
    });
  });
});
