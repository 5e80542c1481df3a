import { FakeClock } from '../testing/fake-clock';
import { ApiKeyAuthenticator, MAX_LOOKUPS_IN_FLIGHT, type ApiKeyAuthenticatorOptions } from './api-key-authenticator';
import type { ApiKeyRecord } from './api-key-record';
import { newApiKeyText } from './api-key-text';
import { issueApiKey } from './issue-api-key';
import { MemoryApiKeyStore } from './memory-api-key-store';

const BAD = { code: 'unauthorized', message: 'Invalid API key or access token' };
const UNAVAILABLE = { code: 'read_model_unavailable', status: 503 };
const TTL_MS = 5_000;

/** The memory store, counting questions, with faults on demand. */
class WatchedStore extends MemoryApiKeyStore {
  questions = 0;
  fault: (() => Promise<never>) | undefined;

  override async findByHash(hash: string): Promise<ApiKeyRecord | undefined> {
    this.questions++;
    return this.fault === undefined ? super.findByHash(hash) : this.fault();
  }
}

function setUp(overrides: Partial<ApiKeyAuthenticatorOptions> = {}) {
  const clock = new FakeClock();
  const store = new WatchedStore(clock.read);
  const keys = new ApiKeyAuthenticator(store, {
    ttlMs: TTL_MS,
    maxEntries: 100,
    maxUnknownEntries: 100,
    lookupTimeoutMs: 1_000,
    clock: clock.read,
    operators: new Map(),
    ...overrides,
  });
  const issue = (expiresAt?: number) =>
    issueApiKey(store, { workspaceId: 7, role: 'writer', name: 'test', expiresAt }, clock.read);
  return { clock, store, keys, issue };
}

describe('ApiKeyAuthenticator', () => {
  it('asks the store once, and has the answer at hand synchronously until the TTL is over', async () => {
    const { clock, store, keys, issue } = setUp();
    const { apiKey, record } = await issue();
    expect(keys.cached(apiKey)).toBeUndefined();
    const principal = await keys.authenticate(apiKey);
    expect(principal).toEqual({
      kind: 'api_key',
      keyId: record.keyId,
      workspaceId: 7,
      role: 'writer',
      limits: {},
    });
    clock.advance(TTL_MS - 1);
    expect(keys.cached(apiKey)).toBe(principal);
    expect(await keys.authenticate(apiKey)).toBe(principal);
    expect(store.questions).toBe(1);
    clock.advance(1);
    expect(keys.cached(apiKey)).toBeUndefined();
    await keys.authenticate(apiKey);
    expect(store.questions).toBe(2);
  });

  it('refuses a revoked key after the TTL at the latest, and at once when told to forget it', async () => {
    const { clock, store, keys, issue } = setUp();
    const [late, told] = [await issue(), await issue()];
    await keys.authenticate(late.apiKey);
    await keys.authenticate(told.apiKey);
    await store.revoke({ keyId: late.record.keyId });
    await store.revoke({ keyId: told.record.keyId });
    keys.forget(told.record.keyId);
    await expect(keys.authenticate(told.apiKey)).rejects.toMatchObject(BAD);
    await expect(keys.authenticate(late.apiKey)).resolves.toMatchObject({ keyId: late.record.keyId });
    clock.advance(TTL_MS);
    expect(keys.cached(late.apiKey)).toBeUndefined();
    await expect(keys.authenticate(late.apiKey)).rejects.toMatchObject(BAD);
  });

  it('refuses an expired key at its instant, also when it is cached', async () => {
    const { clock, keys, issue } = setUp();
    const { apiKey } = await issue(clock.nowMs + 100);
    await expect(keys.authenticate(apiKey)).resolves.toMatchObject({ expiresAt: clock.nowMs + 100 });
    clock.advance(99);
    expect(keys.cached(apiKey)).toBeDefined();
    clock.advance(1);
    expect(keys.cached(apiKey)).toBeUndefined();
    await expect(keys.authenticate(apiKey)).rejects.toMatchObject(BAD);
  });

  it('remembers an unknown key for the TTL, and finds it when it exists later', async () => {
    const { clock, store, keys, issue } = setUp();
    const unknown = newApiKeyText();
    for (let n = 0; n < 3; n++) await expect(keys.authenticate(unknown)).rejects.toMatchObject(BAD);
    expect(store.questions).toBe(1);
    clock.advance(TTL_MS);
    await expect(keys.authenticate(unknown)).rejects.toMatchObject(BAD);
    expect(store.questions).toBe(2);
    const { apiKey } = await issue();
    await expect(keys.authenticate(apiKey)).resolves.toMatchObject({ workspaceId: 7 });
  });

  it('keeps what is known while unknown keys flood it', async () => {
    const { store, keys, issue } = setUp({ maxEntries: 2, maxUnknownEntries: 2 });
    const { apiKey } = await issue();
    await keys.authenticate(apiKey);
    const flood = Array.from({ length: 10 }, newApiKeyText);
    for (const text of flood) await expect(keys.authenticate(text)).rejects.toMatchObject(BAD);
    expect(keys.cached(apiKey)).toBeDefined();
    const before = store.questions;
    await expect(keys.authenticate(flood[0] ?? '')).rejects.toMatchObject(BAD);
    expect(store.questions).toBe(before + 1);
  });

  it('asks once for many callers at a time', async () => {
    const { store, keys, issue } = setUp();
    const { apiKey } = await issue();
    await Promise.all(Array.from({ length: 50 }, () => keys.authenticate(apiKey)));
    expect(store.questions).toBe(1);
  });

  it.each(['', 'sk_', 'sk_short', `sk_${'a'.repeat(44)}`, `sk_${'a'.repeat(42)}\u0000`, `sk_${'a'.repeat(42)}+`, 'x'])(
    'refuses %j without asking',
    async (text) => {
      const { store, keys } = setUp();
      await expect(keys.authenticate(text)).rejects.toMatchObject(BAD);
      expect(store.questions).toBe(0);
    },
  );

  it('never calls a key bad because the store fails, and asks again next time', async () => {
    const { store, keys, issue } = setUp();
    const { apiKey } = await issue();
    store.fault = () => Promise.reject(new Error('connection lost'));
    await expect(keys.authenticate(apiKey)).rejects.toMatchObject(UNAVAILABLE);
    await expect(keys.authenticate(newApiKeyText())).rejects.toMatchObject(UNAVAILABLE);
    store.fault = undefined;
    await expect(keys.authenticate(apiKey)).resolves.toMatchObject({ workspaceId: 7 });
  });

  it('gives up on a store that does not answer', async () => {
    const { store, keys, issue } = setUp({ lookupTimeoutMs: 10 });
    const { apiKey } = await issue();
    store.fault = () => new Promise<never>(() => undefined);
    await expect(keys.authenticate(apiKey)).rejects.toMatchObject(UNAVAILABLE);
  });

  it('bounds the questions under way', async () => {
    const { store, keys } = setUp();
    const stuck: Array<(error: Error) => void> = [];
    store.fault = () => new Promise<never>((_, reject) => stuck.push(reject));
    const waiting = Array.from({ length: MAX_LOOKUPS_IN_FLIGHT }, () => keys.authenticate(newApiKeyText()));
    const outcomes = Promise.allSettled(waiting);
    await expect(keys.authenticate(newApiKeyText())).rejects.toMatchObject({ code: 'overloaded', retryable: true });
    await outcomes;
    store.fault = undefined;
    await expect(keys.authenticate(newApiKeyText())).rejects.toMatchObject(BAD);
    expect(stuck).toHaveLength(MAX_LOOKUPS_IN_FLIGHT);
  });

  it('refuses records that fit no one: an operator in a workspace, another role without', async () => {
    const { store, keys, issue } = setUp();
    for (const changes of [{ role: 'operator' }, { workspaceId: null }] as const) {
      const { apiKey, record } = await issue();
      const twisted = new WatchedStore();
      await twisted.insert({ ...record, ...changes });
      store.findByHash = (hash) => twisted.findByHash(hash);
      await expect(keys.authenticate(apiKey)).rejects.toMatchObject(BAD);
    }
  });

  it('stays stale when the clock is set back', async () => {
    const { clock, store, keys, issue } = setUp();
    const { apiKey } = await issue();
    await keys.authenticate(apiKey);
    clock.advance(-60_000);
    await keys.authenticate(apiKey);
    expect(store.questions).toBe(2);
  });
});
