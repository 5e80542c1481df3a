import type { ApiKeyRecord } from './api-key-record';
import { MAX_LISTED_KEYS } from './api-key-store';
import { issueApiKey } from './issue-api-key';
import { MemoryApiKeyStore } from './memory-api-key-store';
import { RevocationWatch, type KeyCheck } from './revocation-watch';

const INTERVAL_MS = 5_000;

/** The memory store, keeping the questions, with faults on demand. */
class WatchedStore extends MemoryApiKeyStore {
  readonly questions: number[] = [];
  fault: (() => Promise<never>) | undefined;

  override async findByIds(keyIds: readonly string[]): Promise<readonly ApiKeyRecord[]> {
    this.questions.push(keyIds.length);
    return this.fault === undefined ? super.findByIds(keyIds) : this.fault();
  }
}

describe('RevocationWatch', () => {
  beforeEach(() => jest.useFakeTimers());
  afterEach(() => jest.useRealTimers());

  function setUp() {
    const store = new WatchedStore();
    const forgotten: string[] = [];
    const checks: KeyCheck[] = [];
    const watch = new RevocationWatch(store, {
      intervalMs: INTERVAL_MS,
      lookupTimeoutMs: 1_000,
      clock: Date.now,
      onRevoked: (keyId) => forgotten.push(keyId),
      onCheck: (check) => checks.push(check),
    });
    const ended: string[] = [];
    const open = (keyId: string, stream: string) => watch.add(keyId, () => ended.push(stream));
    const issue = async (expiresAt?: number) =>
      (await issueApiKey(store, { workspaceId: 1, role: 'reader', name: 'test', expiresAt })).record.keyId;
    return { store, watch, forgotten, checks, ended, open, issue };
  }

  it('ends every stream of a revoked key at the next look, and no other', async () => {
    const { store, watch, forgotten, checks, ended, open, issue } = setUp();
    const [doomed, kept] = [await issue(), await issue()];
    open(doomed, 'a');
    open(doomed, 'b');
    open(kept, 'c');
    await store.revoke({ keyId: doomed });
    await jest.advanceTimersByTimeAsync(INTERVAL_MS - 1);
    expect(ended).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(['a', 'b']);
    expect(forgotten).toEqual([doomed]);
    expect(checks).toEqual([{ keys: 2, ended: 2 }]);
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(ended).toEqual(['a', 'b']);
    expect(checks).toHaveLength(2);
    expect(watch.size).toBe(1);
  });

  it('ends what a key that is over, or that the store does not know, has opened', async () => {
    const { ended, open, issue } = setUp();
    open(await issue(Date.now() + 1_000), 'over');
    open('5f0c7a52-7a41-4a0e-9f43-0d4a2b1c9e77', 'unknown');
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(ended.sort()).toEqual(['over', 'unknown']);
  });

  it('looks at once when it is told to, at nothing when nothing of the key is open', async () => {
    const { store, watch, ended, open, issue } = setUp();
    const [opened, idle] = [await issue(), await issue()];
    open(opened, 'a');
    await store.revoke({ keyId: opened });
    await watch.checkNow(idle);
    expect(store.questions).toEqual([]);
    await watch.checkNow(opened);
    expect(ended).toEqual(['a']);
  });

  it('asks once for all streams of all keys, in questions of a bounded size', async () => {
    const { store, open } = setUp();
    for (let n = 0; n < MAX_LISTED_KEYS + 500; n++) for (const stream of ['a', 'b']) open(`key ${n}`, stream);
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(store.questions).toEqual([MAX_LISTED_KEYS, 500]);
  });

  it('does nothing while nothing is open, and goes on when something is again', async () => {
    const { store, watch, ended, open, issue } = setUp();
    const keyId = await issue();
    const closed = [open(keyId, 'a'), open(keyId, 'b')];
    for (const close of [...closed, ...closed]) close();
    expect(watch.size).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(10 * INTERVAL_MS);
    expect(store.questions).toEqual([]);
    open(keyId, 'c');
    await store.revoke({ keyId });
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(ended).toEqual(['c']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it.each([
    ['fails', () => Promise.reject(new Error('connection lost'))],
    ['does not answer', () => new Promise<never>(() => undefined)],
  ])('keeps everything open while the store %s, and asks again', async (_, fault) => {
    const { store, checks, ended, open, issue } = setUp();
    const keyId = await issue();
    open(keyId, 'a');
    await store.revoke({ keyId });
    store.fault = fault;
    await jest.advanceTimersByTimeAsync(INTERVAL_MS + 1_000);
    expect(ended).toEqual([]);
    expect(checks).toEqual([{ keys: 1, ended: 0, error: expect.any(Error) }]);
    store.fault = undefined;
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    expect(ended).toEqual(['a']);
  });

  it('ends what was opened while it was asking', async () => {
    const { store, ended, open, issue } = setUp();
    const keyId = await issue();
    open(keyId, 'a');
    await store.revoke({ keyId });
    let answer: (records: never) => void = () => undefined;
    store.fault = () => new Promise<never>((resolve) => (answer = resolve));
    await jest.advanceTimersByTimeAsync(INTERVAL_MS);
    open(keyId, 'b');
    answer([] as never);
    await jest.advanceTimersByTimeAsync(0);
    expect(ended).toEqual(['a', 'b']);
  });
});
