import type { SessionStore } from '../session-store';
import {
  commitOf,
  committed,
  eventOf,
  expectNothingOf,
  ODD_TEXT,
  receiptOf,
  SESSION,
  sessionOf,
  startOf,
  WORKSPACE,
  type OpenSessionStore,
} from './session-samples';

const RACERS = 8;

/** States, versions, receipts and ids of events. */
export function describeSessionCommits(open: OpenSessionStore): void {
  it('gives a state back as it was committed, at every replica', async () => {
    const [one, other] = [await open(), await open()];
    expect(await one.load(WORKSPACE, SESSION)).toBeUndefined();
    expect(await one.commit(commitOf())).toEqual({ kind: 'committed', version: 1 });
    expect(await other.load(WORKSPACE, SESSION)).toEqual({ state: sessionOf(), version: 1 });
    expect(await other.lastState(SESSION)).toEqual(sessionOf());
    expect(await other.workspaceOf(SESSION)).toBe(WORKSPACE);
  });

  it('shows each part of a state that changes', async () => {
    const store = await open();
    await committed(store);
    const changes = [
      { agent: { ...sessionOf().agent, tools: [], system: 'other' } },
      { title: null, metadata: {} },
      { status: 'idle', run: null, pending: [], queue: [] },
      { archivedAtMs: 9 },
    ] as const;
    let state = sessionOf();
    for (const [n, change] of changes.entries()) {
      state = { ...state, ...change };
      expect(await committed(store, { state, expectedVersion: n + 1 })).toBe(n + 2);
      expect(await store.load(WORKSPACE, SESSION)).toEqual({ state, version: n + 2 });
    }
  });

  it('keeps nothing of what the caller does with a state afterwards', async () => {
    const store = await open();
    const metadata: Record<string, string> = { a: '1' };
    await committed(store, { state: sessionOf({ metadata }) });
    metadata['a'] = '2';
    const loaded = await store.load(WORKSPACE, SESSION);
    expect(loaded?.state.metadata).toEqual({ a: '1' });
    Object.assign(loaded?.state.metadata ?? {}, { a: '3' });
    expect((await store.load(WORKSPACE, SESSION))?.state.metadata).toEqual({ a: '1' });
  });

  it('does not find the session of another workspace, nor lets one change it (G8)', async () => {
    const store = await open();
    await committed(store);
    expect(await store.load(WORKSPACE + 1, SESSION)).toBeUndefined();
    const foreign = { workspaceId: WORKSPACE + 1, state: sessionOf({ workspaceId: WORKSPACE + 1, title: 'mine' }) };
    expect(await store.commit(commitOf({ ...foreign, expectedVersion: 1 }))).toEqual({ kind: 'conflict' });
    expect(await store.commit(commitOf({ ...foreign, expectedVersion: 0 }))).toEqual({ kind: 'conflict' });
    expect(await store.load(WORKSPACE, SESSION)).toEqual({ state: sessionOf(), version: 1 });
  });

  it('refuses a commit that names another version, and stores nothing of it', async () => {
    const store = await open();
    await committed(store);
    await committed(store, { expectedVersion: 1, state: sessionOf({ title: 'second' }) });
    const late = {
      state: sessionOf({ title: 'late' }),
      events: [eventOf(1)],
      eventIds: [{ id: 'sevt_1', type: 'agent.message' }],
      dispatches: [startOf()],
      receipt: receiptOf(),
    };
    for (const expectedVersion of [0, 1, 3]) {
      expect(await store.commit(commitOf({ ...late, expectedVersion }))).toEqual({ kind: 'conflict' });
    }
    expect(await store.commit(commitOf({ ...late, sessionId: 'sesn_none', expectedVersion: 1 }))).toEqual({
      kind: 'conflict',
    });
    await expectNothingOf(store);
    expect((await store.load(WORKSPACE, SESSION))?.state.title).toBe('second');
  });

  it('lets one of many commits on one version through, over all replicas', async () => {
    const replicas = [await open(), await open()];
    const race = (expectedVersion: number) =>
      Promise.all(
        Array.from({ length: RACERS }, (_, n) =>
          (replicas[n % 2] as SessionStore).commit(
            commitOf({ expectedVersion, state: sessionOf({ title: `${n}` }), events: [eventOf(expectedVersion)] }),
          ),
        ),
      );
    for (const version of [1, 2, 3]) {
      const outcomes = await race(version - 1);
      expect(outcomes.filter(({ kind }) => kind === 'committed')).toEqual([{ kind: 'committed', version }]);
      expect(outcomes.filter(({ kind }) => kind === 'conflict')).toHaveLength(RACERS - 1);
    }
    expect(await replicas[0]?.outbox(SESSION, 10)).toHaveLength(3);
  });

  it('takes each id of an event once in a session, and tells which one is taken', async () => {
    const store = await open();
    const typed = (...ids: string[]) => ids.map((id) => ({ id, type: `type of ${id}` }));
    await committed(store, { eventIds: typed('a', 'b'), events: [eventOf(1), eventOf(2)] });
    const commit = (eventIds: ReturnType<typeof typed>) =>
      store.commit(commitOf({ expectedVersion: 1, state: sessionOf({ title: 'x' }), eventIds, events: [eventOf(3)] }));
    expect(await commit(typed('c', 'b', 'a'))).toEqual({ kind: 'event_id_taken', eventId: 'b' });
    expect(await commit(typed('c', 'd', 'd', 'a'))).toEqual({ kind: 'event_id_taken', eventId: 'd' });
    expect(await store.outbox(SESSION, 10)).toHaveLength(2);
    expect((await store.load(WORKSPACE, SESSION))?.version).toBe(1);
    expect(await commit(typed('c', 'd'))).toEqual({ kind: 'committed', version: 2 });
    expect(await committed(store, { state: sessionOf({ id: 'sesn_2' }), eventIds: typed('a') })).toBe(1);
  });

  it('tells the types of the events that a session has', async () => {
    const store = await open();
    const eventIds = [
      { id: 'A:1.b_c-d', type: 'agent.tool_use' },
      { id: 'sevt_2', type: 'user.message' },
    ];
    await committed(store, { eventIds });
    const asked = ['sevt_2', 'missing', ODD_TEXT, 'line\nbreak', '', 'A:1.b_c-d', 'sevt_2'];
    expect(await store.knownEvents(SESSION, asked)).toEqual(
      new Map([
        ['A:1.b_c-d', 'agent.tool_use'],
        ['sevt_2', 'user.message'],
      ]),
    );
    expect(await store.knownEvents(SESSION, [])).toEqual(new Map());
    expect(await store.knownEvents('sesn_2', asked)).toEqual(new Map());
  });

  it('finds nothing by an id that none can have', async () => {
    const store = await open();
    expect(await store.load(WORKSPACE, ODD_TEXT)).toBeUndefined();
    expect(await store.workspaceOf(ODD_TEXT)).toBeUndefined();
    expect(await store.lastState(ODD_TEXT)).toBeUndefined();
    expect(await store.receipt(ODD_TEXT, ODD_TEXT)).toBeUndefined();
    expect(await store.outbox(ODD_TEXT, 1)).toEqual([]);
  });
}
