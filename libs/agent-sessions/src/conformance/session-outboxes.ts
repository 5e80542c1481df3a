import { committed, eventOf, SESSION, sessionOf, type OpenSessionStore } from './session-samples';

/** Events on their way to the log. */
export function describeSessionOutboxes(open: OpenSessionStore): void {
  it('keeps events in the order of commits until they are settled', async () => {
    const [one, other] = [await open(), await open()];
    await committed(one, { events: [eventOf(1), eventOf(2)] });
    await committed(other, { expectedVersion: 1, events: [] });
    await committed(other, { expectedVersion: 2, events: [eventOf(3)] });
    const waiting = await other.outbox(SESSION, 10);
    expect(waiting.map(({ event }) => event)).toEqual([eventOf(1), eventOf(2), eventOf(3)]);
    const [first, second, third] = waiting.map(({ sequence }) => sequence);
    expect([first, second, third]).toEqual([...waiting.map(({ sequence }) => sequence)].sort((a, b) => a - b));
    expect(await one.outbox(SESSION, 2)).toEqual(waiting.slice(0, 2));

    await one.settle(SESSION, first ?? 0);
    expect(await other.outbox(SESSION, 10)).toEqual(waiting.slice(1));
    await one.settle(SESSION, first ?? 0);
    await committed(one, { expectedVersion: 3, events: [eventOf(4)] });
    await other.settle(SESSION, third ?? 0);
    const left = await one.outbox(SESSION, 10);
    expect(left.map(({ event }) => event)).toEqual([eventOf(4)]);
    expect(left[0]?.sequence).toBeGreaterThan(third ?? 0);
    await one.settle(SESSION, left[0]?.sequence ?? 0);
    expect(await one.outbox(SESSION, 10)).toEqual([]);
    await one.settle('sesn_none', 5);
  });

  it('gives no more bytes at once than it is told, but for a single event', async () => {
    const store = await open();
    const events = [1, 2, 3, 4].map((n) => eventOf(n));
    await committed(store, { events });
    const bytes = events.map(({ json }) => Buffer.byteLength(json));
    const [first = 0, second = 0, third = 0] = bytes;
    const given = async (maxBytes: number, limit = 10) => (await store.outbox(SESSION, limit, maxBytes)).length;
    expect(await given(1)).toBe(1);
    expect(await given(first + second - 1)).toBe(1);
    expect(await given(first + second)).toBe(2);
    expect(await given(first + second + third)).toBe(3);
    expect(await given(1_000_000)).toBe(4);
    expect(await given(1_000_000, 2)).toBe(2);
    const [one] = await store.outbox(SESSION, 10, 1);
    await store.settle(SESSION, one?.sequence ?? 0);
    expect((await store.outbox(SESSION, 10, 1)).map(({ event }) => event)).toEqual([eventOf(2)]);
  });

  it('tells which sessions have waited long enough, the longest first', async () => {
    const store = await open();
    expect(await store.waitingOutboxes(0, 10)).toEqual([]);
    for (const id of ['sesn_b', 'sesn_a', 'sesn_c']) {
      await committed(store, { state: sessionOf({ id }), events: [eventOf(1, id)] });
    }
    await committed(store, { state: sessionOf({ id: 'sesn_quiet' }) });
    await committed(store, { state: sessionOf({ id: 'sesn_b' }), expectedVersion: 1, events: [eventOf(2, 'sesn_b')] });
    const all = await store.waitingOutboxes(0, 10);
    expect([...all].sort()).toEqual(['sesn_a', 'sesn_b', 'sesn_c']);
    expect(await store.waitingOutboxes(0, 2)).toHaveLength(2);
    expect(await store.waitingOutboxes(600_000, 10)).toEqual([]);

    const [first] = await store.outbox('sesn_b', 10);
    await store.settle('sesn_b', first?.sequence ?? 0);
    const [onlyOfA] = await store.outbox('sesn_a', 10);
    await store.settle('sesn_a', onlyOfA?.sequence ?? 0);
    expect([...(await store.waitingOutboxes(0, 10))].sort()).toEqual(['sesn_b', 'sesn_c']);
    await committed(store, { state: sessionOf({ id: 'sesn_a' }), expectedVersion: 1, events: [eventOf(2, 'sesn_a')] });
    expect(await store.waitingOutboxes(0, 10)).toContain('sesn_a');
  });

  it('loses no waiting session while commits and settlements race', async () => {
    const [one, other] = [await open(), await open()];
    const commits = 30;
    await committed(one, { events: [eventOf(0)] });
    const committing = (async () => {
      for (let n = 1; n <= commits; n++) await committed(one, { expectedVersion: n, events: [eventOf(n)] });
    })();
    const seen: number[] = [];
    while (seen.length <= commits) {
      const waiting = await other.outbox(SESSION, 3);
      seen.push(...waiting.map(({ sequence }) => sequence));
      await other.settle(SESSION, waiting.at(-1)?.sequence ?? 0);
      const left = await other.outbox(SESSION, 1);
      if (left.length > 0) expect(await other.waitingOutboxes(0, 1)).toEqual([SESSION]);
    }
    await committing;
    expect(seen).toEqual(Array.from({ length: commits + 1 }, (_, n) => n + (seen[0] ?? 0)));
    expect(await one.waitingOutboxes(0, 1)).toEqual([]);
  });
}
