import { accessConfigSchema } from './access-config';
import { createAccessControl } from './access-control';
import { newApiKeyText } from './api-keys/api-key-text';
import { issueApiKey } from './api-keys/issue-api-key';
import { MemoryApiKeyStore } from './api-keys/memory-api-key-store';
import { SECRET } from './testing/token-tools';
import { TOKEN_LEEWAY_SECONDS } from './tokens/token-claims';

const CACHE_TTL_MS = 5_000;

describe('AccessControl.watch', () => {
  beforeEach(() => jest.useFakeTimers({ now: 1_800_000_000_000 }));
  afterEach(() => jest.useRealTimers());

  async function setUp(ttlMs = CACHE_TTL_MS) {
    const store = new MemoryApiKeyStore();
    const operatorKey = newApiKeyText();
    const config = accessConfigSchema.parse({
      tokens: { secrets: [{ secret: SECRET }] },
      operatorKeys: [{ name: 'operator', apiKey: operatorKey }],
      apiKeyCache: { ttlMs },
    });
    const access = await createAccessControl(config, store);
    const reasons: string[] = [];
    const issue = (expiresAt?: number) =>
      issueApiKey(store, { workspaceId: 1, role: 'reader', name: 'test', expiresAt });
    const open = async (credential: string) =>
      access.watch(await access.authenticate({ bearer: credential }), ({ code }) => reasons.push(code));
    return { store, access, operatorKey, reasons, issue, open };
  }

  it('ends streams of a revoked key, and stops accepting the key, within the cache time', async () => {
    const { store, access, reasons, issue, open } = await setUp();
    const { apiKey, record } = await issue();
    await open(apiKey);
    await store.revoke({ keyId: record.keyId });
    expect(access.authenticateCached({ apiKey })).toBeDefined();
    await jest.advanceTimersByTimeAsync(CACHE_TTL_MS);
    expect(reasons).toEqual(['unauthorized']);
    expect(access.authenticateCached({ apiKey })).toBeUndefined();
    await expect(access.authenticate({ apiKey })).rejects.toMatchObject({ code: 'unauthorized' });
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends them at once in the process that is told', async () => {
    const { store, access, reasons, issue, open } = await setUp();
    const { apiKey, record } = await issue();
    await open(apiKey);
    await store.revoke({ keyId: record.keyId });
    access.forgetApiKey(record.keyId);
    await jest.advanceTimersByTimeAsync(0);
    expect(reasons).toEqual(['unauthorized']);
  });

  it('looks once a second at most, however short keys are cached', async () => {
    const { store, reasons, issue, open } = await setUp(0);
    const asked = jest.spyOn(store, 'findByIds');
    const { apiKey, record } = await issue();
    await open(apiKey);
    await jest.advanceTimersByTimeAsync(3_000);
    expect(asked).toHaveBeenCalledTimes(3);
    await store.revoke({ keyId: record.keyId });
    await jest.advanceTimersByTimeAsync(1_000);
    expect(reasons).toEqual(['unauthorized']);
  });

  it('ends what a token, or a key with an end, has opened when its time is over', async () => {
    const { access, reasons, issue, open } = await setUp();
    const { accessToken } = await access.mintAccessToken({ workspaceId: 1, sandboxId: 's', ttlSeconds: 60 });
    await open(accessToken);
    await jest.advanceTimersByTimeAsync((60 + TOKEN_LEEWAY_SECONDS) * 1000 - 1);
    expect(reasons).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(reasons).toEqual(['token_expired']);
    await open((await issue(Date.now() + 60_000)).apiKey);
    await jest.advanceTimersByTimeAsync(60_000);
    expect(reasons).toEqual(['token_expired', 'token_expired']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('never asks the store for an operator of the configuration, nor for tokens', async () => {
    const { store, access, operatorKey, reasons, open } = await setUp();
    const asked = jest.spyOn(store, 'findByIds');
    const { accessToken } = await access.mintAccessToken({ workspaceId: 1, sandboxId: 's' });
    await open(operatorKey);
    await open(accessToken);
    expect(access.watchedKeys).toBe(0);
    await jest.advanceTimersByTimeAsync(10 * CACHE_TTL_MS);
    expect(asked).not.toHaveBeenCalled();
    expect(reasons).toEqual([]);
  });

  it('can be cancelled, and leaves nothing behind', async () => {
    const { store, access, reasons, issue, open } = await setUp();
    const { apiKey, record } = await issue(Date.now() + 60_000);
    const watches = [await open(apiKey), await open(apiKey)];
    expect(access.watchedKeys).toBe(1);
    await store.revoke({ keyId: record.keyId });
    for (const { cancel } of [...watches, ...watches]) cancel();
    expect(access.watchedKeys).toBe(0);
    expect(jest.getTimerCount()).toBe(0);
    await jest.advanceTimersByTimeAsync(120_000);
    expect(reasons).toEqual([]);
  });
});
