import {
  MAX_LISTED_SESSION_EVENTS,
  MAX_SCANNED_SESSION_EVENTS,
  MAX_SESSION_PAGE_LENGTH,
  type ListSessionEvents,
} from '../session/session-events';
import { processedAt, queued, running, said, SESSION_ID, sessionEnvelope as event } from './session-envelope';
import { eventsOf, idsOf, pageOf, pagesOf, type CurrentSessionHarness } from './session-harness';
import { OCCURRED_AT } from './workspace-envelope';

const BATCH = 1000;
const LARGE_TEXT = 'x'.repeat(200_000);

const range = (from: number, to: number) => Array.from({ length: to - from + 1 }, (_, n) => from + n);
const ids = (...numbers: readonly number[]) => numbers.map((n) => `e${n}`);

/** How the events of a session are listed. */
export function describeListsOfSessionEvents(current: CurrentSessionHarness): void {
  describe('a session of twelve events', () => {
    // Every third one waits; the others were processed 10 ms after one another.
    const data = (n: number) => (n % 3 === 0 ? queued(`e${n}`) : said(`e${n}`, n * 10));

    beforeEach(async () => {
      await current().record(range(1, 5).map((n) => event(data(n))));
      await current().record(range(6, 12).map((n) => event(data(n))));
    });

    it('lists them as they were recorded, both ways', async () => {
      expect(await idsOf(current())).toEqual(ids(...range(1, 12)));
      expect(await idsOf(current(), { order: 'descending' })).toEqual(ids(...range(1, 12).reverse()));
      const [first] = await eventsOf(current());
      expect(first).toEqual({
        position: 1,
        id: 'e1',
        type: 'agent.message',
        processedAtMs: OCCURRED_AT + 10,
        payload: said('e1', 10),
      });
    });

    it('lists what is kept, in pages that go on to it, and finds nothing else', async () => {
      await current().removeAll();
      expect(await pageOf(current(), { limit: 2 })).toEqual({ events: [] });
      await current().record(range(13, 17).map((n) => event(data(n))));
      expect(await idsOf(current(), { limit: 2 })).toEqual(ids(...range(13, 17)));
      expect(await idsOf(current(), { limit: 2, order: 'descending' })).toEqual(ids(...range(13, 17).reverse()));
      expect(await idsOf(current(), { limit: 1, types: ['user.message'] })).toEqual(ids(15));
      expect(await idsOf(current(), { limit: 1, processedFromMs: OCCURRED_AT })).toEqual(ids(13, 14, 16, 17));
      const found = await current().events.byIds(1, SESSION_ID, ids(12, 13));
      expect(found.map(({ id }) => id)).toEqual(ids(13));
      expect(await current().events.find(1, SESSION_ID, 'e12')).toBeUndefined();
    });

    it.each(
      (['ascending', 'descending'] as const).flatMap((order) => [1, 2, 5, 12, 100].map((limit) => ({ order, limit }))),
    )('gives all of them in pages of $limit, $order', async ({ order, limit }) => {
      const whole = order === 'ascending' ? range(1, 12) : range(1, 12).reverse();
      const pages = await pagesOf(current(), { order, limit });
      expect(pages.flatMap(({ events }) => events.map(({ id }) => id))).toEqual(ids(...whole));
      for (const { events } of pages) expect(events.length).toBeLessThanOrEqual(limit);
      expect(await idsOf(current(), { order, limit, types: ['user.message'] })).toEqual(
        ids(...whole.filter((n) => n % 3 === 0)),
      );
    });

    it('goes on behind any position, also one that it has no event at', async () => {
      expect(await idsOf(current(), { after: 10 })).toEqual(ids(11, 12));
      expect(await idsOf(current(), { after: 3, order: 'descending' })).toEqual(ids(2, 1));
      for (const after of [12, 1000, Number.MAX_SAFE_INTEGER])
        expect(await pageOf(current(), { after })).toEqual({ events: [] });
      expect(await pageOf(current(), { after: 1, order: 'descending' })).toEqual({ events: [] });
      expect(await pageOf(current(), { after: 0, order: 'descending' })).toEqual({ events: [] });
      expect(await idsOf(current(), { after: 1000, order: 'descending' })).toEqual(ids(...range(1, 12).reverse()));
    });

    it('lists those of some types', async () => {
      expect(await idsOf(current(), { types: ['user.message'] })).toEqual(ids(3, 6, 9, 12));
      expect(await idsOf(current(), { types: ['user.message', 'agent.message'] })).toEqual(ids(...range(1, 12)));
      expect(await idsOf(current(), { types: [] })).toEqual(ids(...range(1, 12)));
      for (const none of ['session.error', '', '\u0000', "' OR true --", 'user']) {
        expect(await idsOf(current(), { types: [none] })).toEqual([]);
      }
    });

    it('lists those that were processed at some time, and then none that waits', async () => {
      const at = (n: number) => OCCURRED_AT + n * 10;
      const between = async (query: Partial<ListSessionEvents>) => idsOf(current(), query);
      expect(await between({ processedAfterMs: at(8) })).toEqual(ids(10, 11));
      expect(await between({ processedFromMs: at(8) })).toEqual(ids(8, 10, 11));
      expect(await between({ processedBeforeMs: at(4) })).toEqual(ids(1, 2));
      expect(await between({ processedUpToMs: at(4) })).toEqual(ids(1, 2, 4));
      expect(await between({ processedAfterMs: at(2), processedBeforeMs: at(8) })).toEqual(ids(4, 5, 7));
      expect(await between({ processedFromMs: at(2), processedUpToMs: at(8) })).toEqual(ids(2, 4, 5, 7, 8));
      expect(await between({ processedFromMs: at(5), order: 'descending', limit: 2 })).toEqual(ids(11, 10, 8, 7, 5));
      expect(await between({ processedFromMs: at(0), types: ['user.message'] })).toEqual([]);
      expect(await between({ processedFromMs: at(9), processedUpToMs: at(2) })).toEqual([]);
      await current().record([event(running('e13', ['e9', 'e3'], 55))]);
      expect(await between({ processedFromMs: at(5), processedUpToMs: at(7) })).toEqual(ids(3, 5, 7, 9, 13));
      expect(await between({ processedFromMs: -1e300, processedUpToMs: 1e300 })).toHaveLength(11);
    });
  });

  it('lists none of a session that is not there', async () => {
    for (const sessionId of ['', '\u0000', 'sesn_', "' OR true --", '__proto__', 'x'.repeat(10_000)]) {
      expect(await pageOf(current(), { sessionId })).toEqual({ events: [] });
    }
  });

  it('never gives more than a page (G9)', async () => {
    const count = MAX_LISTED_SESSION_EVENTS + 5;
    await current().record(range(1, count).map((n) => event(said(`e${n}`))));
    expect((await pageOf(current(), { limit: 1_000_000 })).events).toHaveLength(MAX_LISTED_SESSION_EVENTS);
    expect(await idsOf(current(), { limit: 1_000_000 })).toEqual(ids(...range(1, count)));
    expect((await pageOf(current(), { limit: 0 })).events).toEqual([]);
  });

  it.each(['ascending', 'descending'] as const)(
    'misses none of a few among very many, $0, whatever a page costs (G9)',
    async (order) => {
      const count = MAX_SCANNED_SESSION_EVENTS + 3 * BATCH;
      const rare = [2, BATCH * 5, count - 1];
      for (let from = 1; from <= count; from += BATCH) {
        await current().record(
          range(from, from + BATCH - 1).map((n) => event(rare.includes(n) ? queued(`e${n}`) : said(`e${n}`, n))),
        );
      }
      const expected = order === 'ascending' ? rare : [...rare].reverse();
      expect(await idsOf(current(), { order, types: ['user.message'] })).toEqual(ids(...expected));
      expect(await idsOf(current(), { order, processedAfterMs: OCCURRED_AT + count - 1 })).toEqual(ids(count));
      expect(await idsOf(current(), { order, processedUpToMs: OCCURRED_AT + 1 })).toEqual(ids(1));
      expect(await idsOf(current(), { order, types: ['session.error'] })).toEqual([]);
    },
  );

  it('ends a page of large events early, and misses none (G9)', async () => {
    const count = 60;
    for (let from = 1; from <= count; from += 10) {
      await current().record(range(from, from + 9).map((n) => event(said(`e${n}`, n, `${n}${LARGE_TEXT}`))));
    }
    for (const order of ['ascending', 'descending'] as const) {
      const pages = await pagesOf(current(), { order, limit: 1000 });
      const listed = pages.map(({ events }) => events.map(({ id }) => id));
      expect(listed.flat()).toEqual(ids(...(order === 'ascending' ? range(1, count) : range(1, count).reverse())));
      for (const { events } of pages) expect(JSON.stringify(events).length).toBeLessThan(MAX_SESSION_PAGE_LENGTH * 1.1);
    }
  });

  it('shows a processed event with its time, whichever the order of a page', async () => {
    await current().record([event(queued('e1')), event(running('e2', ['e1'], 5))]);
    for (const order of ['ascending', 'descending'] as const) {
      const shown = (await eventsOf(current(), { order })).find(({ id }) => id === 'e1');
      expect(shown).toMatchObject({ processedAtMs: OCCURRED_AT + 5, payload: { processed_at: processedAt(5) } });
    }
  });
}
