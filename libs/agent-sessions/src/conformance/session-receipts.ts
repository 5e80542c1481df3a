import type { CommitReceipt, SessionStore, UnkeyedRequest } from '../session-store';
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
  type OpenSessionStore,
} from './session-samples';

const RACERS = 8;
const LONG_MS = 600_000;
const HASH = 'the same';
/** What requests that make sessions have in common. */
const CREATIONS = 'create/7';

/** Of a request without a key. */
const unkeyed = (key: string, more: Partial<UnkeyedRequest> = {}): CommitReceipt => ({
  ...receiptOf(key, { requestHash: HASH, answer: JSON.stringify(key) }),
  unkeyed: { isRetry: false, arrivedMsAgo: 0, repeatableForMs: LONG_MS, ...more },
});

/** By what requests are known when they come again. */
export function describeSessionReceipts(open: OpenSessionStore): void {
  it('knows a request again by its receipt, whatever the version, and stores nothing of it', async () => {
    const store = await open();
    await committed(store, { receipt: receiptOf() });
    const again = commitOf({
      state: sessionOf({ title: 'again' }),
      events: [eventOf(1)],
      eventIds: [{ id: 'sevt_1', type: 'agent.message' }],
      dispatches: [startOf()],
      receipt: receiptOf(undefined, { requestHash: 'another', answer: 'another' }),
    });
    for (const expectedVersion of [0, 1, 5]) {
      expect(await store.commit({ ...again, expectedVersion })).toEqual({ kind: 'repeated', receipt: receiptOf() });
    }
    await expectNothingOf(store);
    expect(await store.receipt(SESSION, receiptOf().key)).toEqual(receiptOf());
    expect(await store.receipt(SESSION, 'other')).toBeUndefined();
    expect(await store.receipt('sesn_2', receiptOf().key)).toBeUndefined();
    expect(await committed(store, { state: sessionOf({ id: 'sesn_2' }), receipt: receiptOf() })).toBe(1);
  });

  it('finds the newest request without a key of a hash that was not marked as answered', async () => {
    const store = await open();
    await committed(store, { receipt: unkeyed('first') });
    await committed(store, { expectedVersion: 1, receipt: unkeyed('second') });
    await committed(store, { expectedVersion: 2, receipt: receiptOf('with a key', { requestHash: HASH }) });
    const found = async () => (await store.unansweredReceipt(SESSION, HASH, LONG_MS))?.key;
    const { unkeyed: _, ...second } = unkeyed('second');
    expect(await store.unansweredReceipt(SESSION, HASH, LONG_MS)).toEqual(second);
    expect(await store.unansweredReceipt(SESSION, HASH, 0)).toBeUndefined();
    await store.markAnswered(SESSION, 'second');
    expect(await found()).toBe('first');
    await store.markAnswered('sesn_2', 'first');
    await store.markAnswered(SESSION, 'missing');
    expect(await found()).toBe('first');
    await store.markAnswered(SESSION, 'first');
    expect(await found()).toBeUndefined();
    expect(await store.receipt(SESSION, 'first')).toMatchObject({ key: 'first', requestHash: HASH });
    expect(await store.unansweredReceipt('sesn_2', HASH, LONG_MS)).toBeUndefined();
    expect(await store.unansweredReceipt(ODD_TEXT, ODD_TEXT, LONG_MS)).toBeUndefined();
  });

  it('knows a retry without a key by the attempt that was not answered, as long as anybody repeats it', async () => {
    const store = await open();
    await committed(store, { receipt: unkeyed('first') });
    const retry = (more: Partial<UnkeyedRequest>) =>
      store.commit(
        commitOf({ expectedVersion: 1, events: [eventOf(1)], receipt: unkeyed('again', { isRetry: true, ...more }) }),
      );
    const { unkeyed: _, ...first } = unkeyed('first');
    expect(await retry({})).toEqual({ kind: 'repeated', receipt: first });
    await expectNothingOf(store);
    await store.markAnswered(SESSION, 'first');
    expect(await retry({ repeatableForMs: LONG_MS })).toEqual({ kind: 'committed', version: 2 });
  });

  it('knows no retry by what is too old, has another hash or a key', async () => {
    const store = await open();
    await committed(store, { receipt: unkeyed('first') });
    await committed(store, { expectedVersion: 1, receipt: receiptOf('keyed', { requestHash: 'with a key' }) });
    const retry = (expectedVersion: number, requestHash: string, repeatableForMs: number) => {
      const receipt = { ...unkeyed(`retry ${expectedVersion}`, { isRetry: true, repeatableForMs }), requestHash };
      return committed(store, { expectedVersion, receipt });
    };
    expect(await retry(2, HASH, 0)).toBe(3);
    expect(await retry(3, 'with a key', LONG_MS)).toBe(4);
    expect(await retry(4, 'another', LONG_MS)).toBe(5);
  });

  it('knows the first attempt by its retry that was taken after it came, answered or not', async () => {
    const store = await open();
    await committed(store, { receipt: unkeyed('retry', { isRetry: true }) });
    await store.markAnswered(SESSION, 'retry');
    const late = (more: Partial<UnkeyedRequest>) =>
      store.commit(commitOf({ expectedVersion: 1, receipt: unkeyed('late', { arrivedMsAgo: LONG_MS, ...more }) }));
    expect(await late({})).toMatchObject({ kind: 'repeated', receipt: { key: 'retry' } });
    expect(await late({ isRetry: true })).toMatchObject({ kind: 'repeated', receipt: { key: 'retry' } });
    expect(await late({ arrivedMsAgo: 0 })).toEqual({ kind: 'committed', version: 2 });
  });

  it('takes two alike that come at once as two when none of them is a retry', async () => {
    const store = await open();
    await committed(store, { receipt: unkeyed('one') });
    const other = unkeyed('other', { arrivedMsAgo: LONG_MS });
    expect(await committed(store, { expectedVersion: 1, receipt: other })).toBe(2);
  });

  it('takes one of many repetitions that race, and tells the others so', async () => {
    const replicas = [await open(), await open()];
    await committed(replicas[0] as SessionStore);
    const outcomes = await Promise.all(
      Array.from({ length: RACERS }, (_, n) =>
        (replicas[n % 2] as SessionStore).commit(
          commitOf({ expectedVersion: 1, receipt: receiptOf(), events: [eventOf(1)] }),
        ),
      ),
    );
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([
      'committed',
      ...Array.from({ length: RACERS - 1 }, () => 'repeated'),
    ]);
  });

  it.each<[string, (n: number) => CommitReceipt]>([
    ['a key', () => ({ ...receiptOf('key/1'), scope: CREATIONS })],
    ['no key', (n) => ({ ...unkeyed(`request/${n}`, { isRetry: true }), scope: CREATIONS })],
  ])('makes one session of many repetitions that race, each with an id of its own and %s', async (_, receipt) => {
    const replicas = [await open(), await open()];
    const outcomes = await Promise.all(
      Array.from({ length: RACERS }, (_one, n) =>
        (replicas[n % 2] as SessionStore).commit(
          commitOf({ state: sessionOf({ id: `sesn_${n}` }), receipt: receipt(n), events: [eventOf(1, `sesn_${n}`)] }),
        ),
      ),
    );
    expect(outcomes.map(({ kind }) => kind).sort()).toEqual([
      'committed',
      ...Array.from({ length: RACERS - 1 }, () => 'repeated'),
    ]);
    const store = replicas[0] as SessionStore;
    const everything = { workspaceId: 7, order: 'ascending', limit: 100, includeArchived: true } as const;
    expect((await store.list(everything)).states).toHaveLength(1);
    expect(await store.waitingOutboxes(0, 100)).toHaveLength(1);
  });

  it('keeps the receipts of a scope apart from those of others, and forgets them as any', async () => {
    const store = await open();
    await committed(store, { receipt: { ...receiptOf('key/1'), scope: CREATIONS } });
    expect(await store.receipt(CREATIONS, 'key/1')).toEqual(receiptOf('key/1'));
    expect(await store.receipt(SESSION, 'key/1')).toBeUndefined();
    const other = { ...receiptOf('key/1'), scope: 'create/8' };
    expect(await committed(store, { state: sessionOf({ id: 'sesn_2' }), receipt: other })).toBe(1);
    expect(await store.forgetReceipts(0, 10)).toBe(2);
    expect(await store.receipt(CREATIONS, 'key/1')).toBeUndefined();
  });
}
