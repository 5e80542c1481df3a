import type { RunDispatch } from '../session-state';
import {
  commitOf,
  committed,
  eventOf,
  LEASE_MS,
  receiptOf,
  SESSION,
  sessionOf,
  WORKSPACE,
  type OpenSessionStore,
} from './session-samples';

const DELETED: RunDispatch = { type: 'session.deleted', engine: 'eng_1', runId: null, inputIds: [] };

/** What is left of a session that is deleted, and when receipts go. */
export function describeSessionsThatGo(open: OpenSessionStore): void {
  it('finds a deleted session no more, but lets the log and its engine hear of it', async () => {
    const store = await open();
    const state = sessionOf({ run: null, status: 'idle' });
    await committed(store, { state, eventIds: [{ id: 'sevt_1', type: 'user.message' }], events: [eventOf(1)] });
    const deletion = { state: undefined, events: [eventOf(2)], dispatches: [DELETED], receipt: receiptOf('delete') };
    expect(await committed(store, { ...deletion, expectedVersion: 1 })).toBe(2);

    expect(await store.load(WORKSPACE, SESSION)).toBeUndefined();
    expect(await store.workspaceOf(SESSION)).toBeUndefined();
    expect(await store.knownEvents(SESSION, ['sevt_1'])).toEqual(new Map());
    const everything = { workspaceId: WORKSPACE, order: 'ascending', limit: 10, includeArchived: true } as const;
    expect(await store.list(everything)).toEqual({ states: [], hasMore: false });

    expect(await store.lastState(SESSION)).toEqual(state);
    expect(await store.receipt(SESSION, 'delete')).toEqual(receiptOf('delete'));
    expect((await store.outbox(SESSION, 10)).map(({ event }) => event)).toEqual([eventOf(1), eventOf(2)]);
    expect(await store.waitingOutboxes(0, 10)).toEqual([SESSION]);
    const claimed = await store.claimDispatches({ holder: 'one', leaseMs: LEASE_MS, limit: 10 });
    expect(claimed).toMatchObject([{ workspaceId: WORKSPACE, sessionId: SESSION, dispatch: DELETED }]);
  });

  it('makes no session of an id that was deleted, and changes none', async () => {
    const store = await open();
    await committed(store);
    await committed(store, { state: undefined, expectedVersion: 1 });
    for (const expectedVersion of [0, 1, 2]) {
      expect(await store.commit(commitOf({ expectedVersion }))).toEqual({ kind: 'conflict' });
      expect(await store.commit(commitOf({ state: undefined, expectedVersion }))).toEqual({ kind: 'conflict' });
    }
    expect(await store.commit(commitOf({ state: undefined, sessionId: 'sesn_none' }))).toEqual({ kind: 'conflict' });
  });

  it('forgets receipts that are old enough, so many at once', async () => {
    const store = await open();
    for (const n of [1, 2, 3]) {
      await committed(store, { expectedVersion: n - 1, receipt: receiptOf(`send/${n}`) });
    }
    expect(await store.forgetReceipts(600_000, 10)).toBe(0);
    expect(await store.receipt(SESSION, 'send/1')).toEqual(receiptOf('send/1'));
    expect(await store.forgetReceipts(0, 2)).toBe(2);
    expect(await store.forgetReceipts(0, 2)).toBe(1);
    expect(await store.forgetReceipts(0, 2)).toBe(0);
    expect(await store.receipt(SESSION, 'send/3')).toBeUndefined();
    expect((await store.load(WORKSPACE, SESSION))?.version).toBe(3);
    expect(await committed(store, { expectedVersion: 3, receipt: receiptOf('send/1') })).toBe(4);
  });

  it('forgets a deleted session when nobody has to hear of it any more, and not before', async () => {
    const store = await open();
    const forget = async () => {
      while ((await store.forgetReceipts(0, 2)) > 0);
    };
    const eventIds = [1, 2, 3, 4, 5].map((n) => ({ id: `sevt_${n}`, type: 'user.message' }));
    await committed(store, { eventIds });
    await committed(store, { state: sessionOf({ id: 'sesn_2' }), eventIds });
    await committed(store, {
      state: undefined,
      expectedVersion: 1,
      events: [eventOf(1)],
      dispatches: [DELETED],
      receipt: receiptOf(),
    });
    await forget();
    expect(await store.lastState(SESSION)).toEqual(sessionOf());
    const [claimed] = await store.claimDispatches({ holder: 'one', leaseMs: LEASE_MS, limit: 1 });
    if (claimed) await store.finishDispatch(claimed);
    await forget();
    expect(await store.lastState(SESSION)).toEqual(sessionOf());
    const [waiting] = await store.outbox(SESSION, 1);
    await store.settle(SESSION, waiting?.sequence ?? 0);
    await forget();
    expect(await store.lastState(SESSION)).toBeUndefined();
    expect((await store.knownEvents('sesn_2', ['sevt_5'])).size).toBe(1);
  });
}
