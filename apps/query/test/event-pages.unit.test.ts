import {
  decodeCursor,
  encodeCursor,
  MemoryReadModel,
  toPosition,
  type CursorPlace,
  type ReadEventsOptions,
} from '@sluice/event-log';
import { removeOldest, sandboxEnvelope } from '@sluice/event-log/conformance';
import { EventPages, type Order, type PageRequest } from '../src/event-pages';
import { range } from './query-service';

const MAX_PAGE_BYTES = 100_000;

/** A read model that remembers what it was asked. */
class ObservedModel extends MemoryReadModel {
  readonly asked: ReadEventsOptions[] = [];

  override read(options: ReadEventsOptions) {
    this.asked.push(options);
    return super.read(options);
  }
}

describe('EventPages', () => {
  const RARE = [3, 50, 51, 99];
  let model: ObservedModel;
  beforeEach(async () => {
    model = new ObservedModel();
    const envelopes = range(1, 100).map((n) => sandboxEnvelope({ type: RARE.includes(n) ? 'rare' : 'common' }));
    await model.record({ envelopes, parked: [], checkpoints: new Map() });
  });

  describe('where not all is kept any more (G5)', () => {
    const all = { filter: { workspaceIds: [1] }, limit: 10 };
    const pages = () => new EventPages(model, { maxPageBytes: MAX_PAGE_BYTES });
    const cursor = async (position: number) => ({ epoch: (await model.head()).epoch, position: toPosition(position) });
    beforeEach(() => removeOldest(model.retention, 40));

    it('tells who reads on from a cursor up to where something is gone, and gives what is kept', async () => {
      const { events, reset } = await pages().read({ ...all, order: 'asc', start: await cursor(5) });
      expect(events.map(({ event }) => event.position)).toEqual(range(41, 50));
      expect(reset).toEqual({ reason: 'no_longer_kept', cursor: encodeCursor(await cursor(40)) });
    });

    describe('of families that are kept for different times', () => {
      const total = 30;
      const readAll = async (from: CursorPlace | 'earliest' | undefined) => {
        const found: { readonly positions: number[]; readonly resets: unknown[] } = { positions: [], resets: [] };
        for (let start = from; ;) {
          const page = await pages().read({ ...all, limit: 4, order: 'asc', start });
          found.positions.push(...page.events.map(({ event }) => event.position));
          if (page.reset) found.resets.push(page.reset);
          if (page.next === undefined) return found;
          start = decodeCursor(page.next);
        }
      };
      beforeEach(async () => {
        model = new ObservedModel();
        const envelopes = range(1, total).map((n) => sandboxEnvelope({ family: n % 2 === 0 ? 'session' : 'sandbox' }));
        await model.record({ envelopes, parked: [], checkpoints: new Map() });
        await removeOldest(model.retention, 10);
      });
      const kept = [...range(1, 20).filter((n) => n % 2 === 0), ...range(21, total)];

      it.each([undefined, 'earliest'] as const)(
        'says nothing to who reads all there is, on any page: %j',
        async (start) => {
          expect(await readAll(start)).toEqual({ positions: kept, resets: [] });
        },
      );

      it('tells who comes with an old cursor once, and not on every page', async () => {
        const { positions, resets } = await readAll(await cursor(0));
        expect([positions, resets]).toEqual([kept, [{ reason: 'no_longer_kept', cursor: expect.any(String) }]]);
        // Whoever goes on from there has all that is kept, and is not told again.
        const told = decodeCursor((resets[0] as { cursor: string }).cursor);
        expect(told.position).toBe(1);
        expect(await readAll(told)).toEqual({ positions: kept, resets: [] });
      });

      it('tells of what goes while somebody reads, also where it is lower than what was gone before', async () => {
        const first = await pages().read({ ...all, limit: 4, order: 'asc' });
        await removeOldest(model.retention, 5, { family: 'session' });
        const { positions, resets } = await readAll(decodeCursor(first.next ?? ''));
        expect(resets.map((reset) => decodeCursor((reset as { cursor: string }).cursor).position)).toEqual([10]);
        expect(positions).toEqual(kept.filter((position) => position > 10));
      });
    });

    it.each([40, 41, 100])('says nothing to who has seen all of it: %j', async (position) => {
      const { reset } = await pages().read({ ...all, order: 'asc', start: await cursor(position) });
      expect(reset).toBeUndefined();
    });

    it('begins without a cursor, and ends backwards, at what is kept', async () => {
      for (const start of [undefined, 'earliest'] as const) {
        const first = await pages().read({ ...all, order: 'asc', start });
        expect([first.events[0]?.event.position, first.reset]).toEqual([41, undefined]);
      }
      const last = await pages().read({ ...all, order: 'desc', start: await cursor(45) });
      expect([last.events.map(({ event }) => event.position), last.reset]).toEqual([[44, 43, 42, 41], undefined]);
    });

    it('tells of what goes while it looks for a page', async () => {
      const vanishing = new EventPages(
        {
          head: () => model.head(),
          read: async (options) => {
            const page = await model.read(options);
            if (options.after === 40) await removeOldest(model.retention, 20);
            return page;
          },
        },
        { maxPageBytes: MAX_PAGE_BYTES, scanPositions: 5 },
      );
      const rareOnes = { filter: { workspaceIds: [1], types: ['rare'] }, limit: 10, order: 'asc' } as const;
      const { events, reset } = await vanishing.read(rareOnes);
      expect(events.map(({ event }) => event.position)).toEqual([]);
      expect(decodeCursor(reset?.cursor ?? '').position).toBe(50);
    });
  });

  /** Every page from one end to the other. */
  async function allPages(pages: EventPages, request: Omit<PageRequest, 'start'>) {
    const positions: number[][] = [];
    let start: PageRequest['start'] = request.order === 'asc' ? 'earliest' : 'latest';
    while (start !== undefined) {
      const { events, next } = await pages.read({ ...request, start });
      positions.push(events.map(({ event }) => event.position));
      start = next === undefined ? undefined : decodeCursor(next);
    }
    return positions;
  }

  const rare = { workspaceIds: [1], types: ['rare'] };
  const inOrder = (order: Order) => (order === 'asc' ? RARE : [...RARE].reverse());

  it.each(['asc', 'desc'] as const)(
    'looks through a bounded part for one page of a rare filter (%s)',
    async (order) => {
      const pages = new EventPages(model, { maxPageBytes: MAX_PAGE_BYTES, scanPositions: 5, scansPerPage: 3 });
      const found = await allPages(pages, { filter: rare, order, limit: 10 });
      expect(found.flat()).toEqual(inOrder(order));
      expect(found).toHaveLength(7);
      for (const { after = 0, upTo = 0 } of model.asked) expect(upTo - after).toBeLessThanOrEqual(5);
      // Twenty windows, none of which is read twice.
      expect(model.asked).toHaveLength(20);
    },
  );

  it.each(['asc', 'desc'] as const)('gives every event once, however windows and pages meet (%s)', async (order) => {
    for (const scanPositions of [1, 2, 7, 49, 50, 51, 99, 100, 101]) {
      for (const limit of [1, 2, 3, 4]) {
        const pages = new EventPages(model, { maxPageBytes: MAX_PAGE_BYTES, scanPositions, scansPerPage: 2 });
        const found = await allPages(pages, { filter: rare, order, limit });
        expect(found.flat()).toEqual(inOrder(order));
        expect(Math.max(...found.map(({ length }) => length))).toBeLessThanOrEqual(limit);
      }
    }
  });

  it('bounds a search by time too, and not what an index finds', async () => {
    const pages = new EventPages(model, { maxPageBytes: MAX_PAGE_BYTES, scanPositions: 10, scansPerPage: 10 });
    const page = { order: 'asc', limit: 1_000, start: 'earliest' } as const;
    await pages.read({ ...page, filter: { workspaceIds: [1] }, occurredAfter: Number.MAX_SAFE_INTEGER });
    expect(model.asked).toHaveLength(10);
    model.asked.length = 0;
    await pages.read({ ...page, filter: { workspaceIds: [1] } });
    await pages.read({ ...page, filter: { workspaceIds: [1], entityIds: ['sandbox-123'], types: ['rare'] } });
    expect(model.asked).toHaveLength(2);
  });

  it('asks for no more bytes than fit on the page', async () => {
    const pages = new EventPages(model, { maxPageBytes: 1_000 });
    const found = await allPages(pages, { filter: { workspaceIds: [1] }, order: 'asc', limit: 1_000 });
    expect(found.flat()).toEqual(range(1, 100));
    expect(found.length).toBeGreaterThan(20);
    for (const { maxBytes } of model.asked) expect(maxBytes).toBe(1_000);
  });
});
