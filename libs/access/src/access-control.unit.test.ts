import { accessConfigSchema, type AccessConfigInput } from './access-config';
import { createAccessControl } from './access-control';
import { hashApiKey, newApiKeyText } from './api-keys/api-key-text';
import { issueApiKey } from './api-keys/issue-api-key';
import { MemoryApiKeyStore } from './api-keys/memory-api-key-store';
import { FakeClock } from './testing/fake-clock';
import { SECRET, sign } from './testing/token-tools';
import { TOKEN_LEEWAY_SECONDS } from './tokens/token-claims';

const BAD = { code: 'unauthorized', message: 'Invalid API key or access token' };
const MISSING = { code: 'unauthorized', message: 'API key or access token required' };

async function setUp(input: AccessConfigInput = {}) {
  const clock = new FakeClock();
  const store = new MemoryApiKeyStore(clock.read);
  const config = accessConfigSchema.parse({ tokens: { secrets: [{ kid: 'a', secret: SECRET }] }, ...input });
  const access = await createAccessControl(config, store, { clock: clock.read });
  const { apiKey } = await issueApiKey(store, { workspaceId: 1, role: 'admin', name: 'test' }, clock.read);
  const { accessToken, expiresAt } = await access.mintAccessToken({ workspaceId: 2, sandboxId: 'sandbox-123' });
  return { clock, store, access, apiKey, accessToken, expiresAt };
}

describe('authenticate', () => {
  it('takes a key from X-API-Key or as bearer, and a token as bearer only', async () => {
    const { access, apiKey, accessToken } = await setUp();
    expect(await access.authenticate({ apiKey })).toMatchObject({ kind: 'api_key', workspaceId: 1 });
    expect(await access.authenticate({ bearer: apiKey })).toMatchObject({ kind: 'api_key', workspaceId: 1 });
    expect(await access.authenticate({ bearer: accessToken })).toMatchObject({ kind: 'sandbox', workspaceId: 2 });
    await expect(access.authenticate({ apiKey: accessToken })).rejects.toMatchObject(BAD);
  });

  it('lets X-API-Key decide when both are there', async () => {
    const { access, apiKey, accessToken } = await setUp();
    expect(await access.authenticate({ apiKey, bearer: accessToken })).toMatchObject({ kind: 'api_key' });
    expect(await access.authenticate({ apiKey, bearer: 'junk' })).toMatchObject({ kind: 'api_key' });
    const bad = { apiKey: newApiKeyText(), bearer: accessToken };
    await expect(access.authenticate(bad)).rejects.toMatchObject(BAD);
    await access.authenticate({ bearer: accessToken });
    expect(access.authenticateCached(bad)).toBeUndefined();
  });

  it('says what is missing', async () => {
    const { access } = await setUp();
    for (const nothing of [{}, { apiKey: '' }, { bearer: '' }, { apiKey: '', bearer: '' }]) {
      await expect(access.authenticate(nothing)).rejects.toMatchObject(MISSING);
      expect(access.authenticateCached(nothing)).toBeUndefined();
    }
  });

  it('has accepted credentials at hand synchronously', async () => {
    const { access, apiKey, accessToken } = await setUp();
    for (const credentials of [{ apiKey }, { bearer: apiKey }, { bearer: accessToken }]) {
      const principal = await access.authenticate(credentials);
      expect(access.authenticateCached(credentials)).toBe(principal);
      expect(Object.isFrozen(principal)).toBe(true);
    }
  });

  it('forgets a cached token at the end of its leeway', async () => {
    const { clock, access, accessToken, expiresAt } = await setUp({ tokenCache: { maxAgeMs: 86_400_000 } });
    await access.authenticate({ bearer: accessToken });
    clock.nowMs = expiresAt + TOKEN_LEEWAY_SECONDS * 1000 - 1;
    expect(access.authenticateCached({ bearer: accessToken })).toBeDefined();
    clock.advance(1);
    expect(access.authenticateCached({ bearer: accessToken })).toBeUndefined();
    await expect(access.authenticate({ bearer: accessToken })).rejects.toMatchObject({ code: 'token_expired' });
  });

  it('verifies a cached token anew after its cache age', async () => {
    const { clock, access, accessToken } = await setUp({ tokenCache: { maxAgeMs: 1000 } });
    await access.authenticate({ bearer: accessToken });
    clock.advance(1000);
    expect(access.authenticateCached({ bearer: accessToken })).toBeUndefined();
    await expect(access.authenticate({ bearer: accessToken })).resolves.toMatchObject({ kind: 'sandbox' });
  });

  it('bounds the characters of cached tokens', async () => {
    const { clock, access } = await setUp({ tokenCache: { maxChars: 8 * 1024 } });
    const tokens: string[] = [];
    for (let n = 0; n < 3; n++) {
      const claims = { sandboxId: `s${n}`, workspaceId: 1, exp: clock.nowMs / 1000 + 60, pad: 'x'.repeat(3000) };
      tokens.push(await sign(claims));
      await access.authenticateToken(tokens[n] ?? '');
    }
    expect(tokens.map((bearer) => access.authenticateCached({ bearer }) !== undefined)).toEqual([false, false, true]);
  });

  it('notices a revocation at once where it is told', async () => {
    const { store, access, apiKey } = await setUp();
    const { keyId } = await access.authenticateApiKey(apiKey);
    await store.revoke({ keyId });
    access.forgetApiKey(keyId);
    await expect(access.authenticateApiKey(apiKey)).rejects.toMatchObject(BAD);
  });
});

describe('operators', () => {
  it('come from configuration, as text or as hash, with a stable id', async () => {
    const [text, hashed] = [newApiKeyText(), newApiKeyText()];
    const operatorKeys = [
      { name: 'by text', apiKey: text },
      { name: 'by hash', hash: await hashApiKey(hashed), limits: { connections: 3 } },
    ];
    const { access } = await setUp({ operatorKeys });
    const other = await setUp({ operatorKeys });
    for (const apiKey of [text, hashed]) {
      const principal = await access.authenticate({ apiKey });
      expect(principal).toMatchObject({ role: 'operator', workspaceId: null });
      expect(await other.access.authenticate({ apiKey })).toEqual(principal);
    }
    const without = await setUp();
    await expect(without.access.authenticate({ apiKey: text })).rejects.toMatchObject(BAD);
  });

  it('cannot be issued', async () => {
    const store = new MemoryApiKeyStore();
    const request = { workspaceId: 1, role: 'operator', name: 'x' } as unknown as Parameters<typeof issueApiKey>[1];
    await expect(issueApiKey(store, request)).rejects.toMatchObject({ code: 'invalid_request', where: 'role' });
  });
});

describe('mintAccessToken', () => {
  it('gives a token for an hour, or as asked, that verifies with issuer, audience and kid', async () => {
    const tokens = { secrets: [{ kid: 'a', secret: SECRET }], issuer: 'https://issuer.test', audience: 'sluice' };
    const { clock, access, accessToken, expiresAt } = await setUp({ tokens });
    expect(expiresAt).toBe(clock.nowMs + 3_600_000);
    const principal = await access.authenticateToken(accessToken);
    expect(principal).toMatchObject({ sandboxId: 'sandbox-123', workspaceId: 2, expiresAt });
    expect(principal.tokenId).toMatch(/^[0-9a-f-]{36}$/);
    expect(JSON.parse(Buffer.from(accessToken.split('.')[0] ?? '', 'base64url').toString())).toMatchObject({
      kid: 'a',
    });
    const short = await access.mintAccessToken({ workspaceId: 2, sandboxId: 's', ttlSeconds: 1 });
    expect(short.expiresAt).toBe(clock.nowMs + 1000);
  });

  it.each([
    ['ttlSeconds', { ttlSeconds: 0 }],
    ['ttlSeconds', { ttlSeconds: 30 * 86_400 + 1 }],
    ['ttlSeconds', { ttlSeconds: 1.5 }],
    ['ttlSeconds', { ttlSeconds: NaN }],
    ['sandboxId', { sandboxId: 'a\u0000b' }],
    ['sandboxId', { sandboxId: '' }],
    ['workspaceId', { workspaceId: -1 }],
  ])('refuses a faulty %s: %j', async (where, changes) => {
    const { access } = await setUp();
    const minted = access.mintAccessToken({ workspaceId: 1, sandboxId: 's', ...changes });
    await expect(minted).rejects.toMatchObject({ code: 'invalid_request', where });
  });

  it('needs a secret', async () => {
    const access = await createAccessControl(accessConfigSchema.parse({}), new MemoryApiKeyStore());
    const minted = access.mintAccessToken({ workspaceId: 1, sandboxId: 's' });
    await expect(minted).rejects.toMatchObject({ code: 'configuration' });
    const forged = await sign({ sandboxId: 's', workspaceId: 1, exp: Date.now() / 1000 + 60 }, new Uint8Array(32));
    await expect(access.authenticateToken(forged)).rejects.toMatchObject(BAD);
  });
});
