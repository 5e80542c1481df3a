import { until } from '@sluice/event-log/conformance';
import { erase, retire } from '../test/removing';
import { numbers, resetsOf, World } from '../test/world';
import { PendingWords } from './pending-words';

/** Pages of three events, and a ring of four. */
const LIMITS = { pageEvents: 3, ringEvents: 4, warmUpEvents: 2, gapPageEvents: 4 };

describe('a feed whose past is not kept for ever', () => {
  let world: World;
  beforeEach(() => {
    world = new World(LIMITS);
  });
  afterEach(() => world.feed.stop());

  const start = async (events: number) => {
    await world.record(...Array.from({ length: events }, () => ({})));
    await world.feed.start();
  };

  it('tells who comes with an old cursor up to where something is gone, and goes on from there (G5)', async () => {
    await start(20);
    await retire(world, 8);
    const reader = (await world.subscribe(await world.cursorAt(5))).follow();
    await reader.has(20);
    expect(reader.kinds[0]).toBe('reset');
    expect(resetsOf(reader.items)).toEqual([['no_longer_kept', 8]]);
    expect(reader.positions).toEqual(numbers(9, 20));
    expect(world.counted['reset']).toBe(1);
  });

  it('honours a cursor that has seen all that is gone', async () => {
    await start(20);
    await retire(world, 8);
    const reader = (await world.subscribe(await world.cursorAt(8))).follow();
    await reader.has(20);
    expect([resetsOf(reader.items), reader.positions]).toEqual([[], numbers(9, 20)]);
  });

  it('tells who is in the middle of its backfill when events vanish under it (G5)', async () => {
    await start(20);
    const reader = (await world.subscribe(await world.cursorAt(0))).drain();
    await until(() => reader.drain().positions.length === 3, 'the first page is taken');
    // The next page is being read before they vanish, or is not: what it has is right at its very moment.
    await retire(world, 10);
    await until(() => reader.drain().positions.includes(20), 'it goes on');
    expect(reader.positions.slice(0, 3)).toEqual([1, 2, 3]);
    expect(resetsOf(reader.items)).toEqual([['no_longer_kept', 10]]);
    expect(reader.positions.slice(-10)).toEqual(numbers(11, 20));
    expect(new Set(reader.positions).size).toBe(reader.positions.length);
  });

  it('begins for `earliest` at what is kept, without a word, and tells of what goes after that', async () => {
    await start(20);
    await retire(world, 4);
    const reader = (await world.subscribe('earliest')).drain();
    await until(() => reader.drain().positions.length === 3, 'the first page is taken');
    expect([reader.positions, resetsOf(reader.items)]).toEqual([[5, 6, 7], []]);
    await retire(world, 10);
    await until(() => reader.drain().positions.includes(20), 'it goes on');
    expect(resetsOf(reader.items)).toEqual([['no_longer_kept', 14]]);
  });

  it('says that the numbering changed rather than that something is not kept, where both are to be said', async () => {
    const words = new PendingWords();
    await world.feed.start();
    const at = world.feed.head;
    for (const reasons of [
      ['no_longer_kept', 'epoch_changed'],
      ['epoch_changed', 'no_longer_kept'],
    ] as const) {
      for (const reason of reasons) words.reset(reason, at);
      expect(words.takeFirst()).toEqual({ kind: 'reset', reason: 'epoch_changed', at });
    }
    for (const reason of ['no_longer_kept', 'no_longer_kept'] as const) words.reset(reason, at);
    expect(words.takeFirst()).toMatchObject({ reason: 'no_longer_kept' });
  });

  it('says nothing to a filter that cannot match what is gone', async () => {
    await world.record(...numbers(1, 10).map((n) => ({ workspaceId: n % 2 === 0 ? 2 : 1 })));
    await start(10);
    await retire(world, 5, { workspaceId: 2 });
    const filters = [{ workspaceIds: [1] }, { workspaceIds: [1, 2], families: ['session' as const] }];
    for (const filter of filters) {
      const reader = (await world.subscribe(await world.cursorAt(0), { filter })).follow();
      await until(() => reader.kinds.includes('caught_up'), 'it is live');
      expect(resetsOf(reader.items)).toEqual([]);
    }
    const both = (await world.subscribe(await world.cursorAt(0), { filter: { workspaceIds: [1, 2] } })).follow();
    await until(() => both.kinds.includes('caught_up'), 'it is live');
    // What is kept of the other workspace is not skipped.
    expect(resetsOf(both.items)).toEqual([['no_longer_kept', 0]]);
    expect(both.positions).toEqual([1, 3, 5, 7, 9, ...numbers(11, 20)]);
  });

  it('gives from memory what is still there, although the read model does not keep it any more', async () => {
    await start(0);
    await world.publishMany(4);
    await world.caughtUp();
    await retire(world, 4);
    const reader = (await world.subscribe(await world.cursorAt(1))).follow();
    await reader.has(4);
    expect([resetsOf(reader.items), reader.positions]).toEqual([[], [2, 3, 4]]);
  });

  it('tells those who come after it found, at its start, that recent events are gone', async () => {
    await world.record({}, {}, {}, {});
    await retire(world, 4);
    await world.record({});
    await world.feed.start();
    const late = (await world.subscribe(await world.cursorAt(3))).follow();
    await late.has(5);
    expect([resetsOf(late.items), late.positions]).toEqual([[['no_longer_kept', 4]], [5]]);
    const earliest = (await world.subscribe('earliest')).follow();
    await earliest.has(5);
    expect(resetsOf(earliest.items)).toEqual([]);
  });

  it('goes past what was removed while it lagged, and tells its live subscribers once (G4, G5)', async () => {
    await start(2);
    const reader = (await world.subscribe('latest')).follow();
    const ofOthers = (await world.subscribe('latest', { filter: { workspaceIds: [2] } })).follow();
    const release = world.reader.holdReads();
    await world.record({}, {}, {}, { workspaceId: 2 }, {});
    await retire(world, 5);
    release();
    await world.recordAndPublish({});
    await world.caughtUp();
    await reader.has(8);
    expect(reader.positions).toEqual([7, 8].filter((position) => position > 5));
    expect(resetsOf(reader.items)).toEqual([['no_longer_kept', 5]]);
    await ofOthers.has(6);
    expect(resetsOf(ofOthers.items)).toEqual([]);
  });

  it('goes past what was erased without a word', async () => {
    await start(2);
    const reader = (await world.subscribe('latest')).follow();
    const release = world.reader.holdReads();
    await world.record({ entityId: 'gone' }, { entityId: 'gone' }, {});
    await erase(world, 1, 'gone');
    release();
    await world.recordAndPublish({});
    await reader.has(6);
    expect([resetsOf(reader.items), reader.positions]).toEqual([[], [5, 6]]);
    const old = (await world.subscribe(await world.cursorAt(0))).follow();
    await old.has(6);
    expect([resetsOf(old.items), old.positions]).toEqual([[], [1, 2, 5, 6]]);
  });

  it('leaves a live subscriber that did not take the word yet where it was, so that it is told when it resumes', async () => {
    await start(2);
    const reader = await world.subscribe('latest');
    reader.drain();
    const release = world.reader.holdReads();
    await world.record({}, {}, {});
    await retire(world, 3);
    release();
    await world.recordAndPublish({});
    await world.caughtUp();
    // It has seen up to 2, and position 3 is the last one that is gone.
    const at = reader.subscription.position;
    expect(at.position).toBe(2);
    reader.subscription.close();
    const resumed = (await world.subscribe(at)).follow();
    await resumed.has(6);
    expect([resetsOf(resumed.items), resumed.positions]).toEqual([[['no_longer_kept', 3]], [4, 5, 6]]);
  });

  it('tells who reads again what it did not take in time, also where it began at `earliest`', async () => {
    await start(0);
    const reader = await world.subscribe('earliest');
    reader.drain();
    await world.publishMany(4);
    await world.caughtUp();
    await retire(world, 2);
    await world.deliveryLog.forget();
    reader.follow();
    await reader.has(4);
    expect([resetsOf(reader.items), reader.positions]).toEqual([[['no_longer_kept', 2]], [3, 4]]);
  });
});
