import { accessConfigSchema, type AccessConfigInput } from '../access-config';
import { createAccessControl, type AccessControl } from '../access-control';
import { newApiKeyText } from '../api-keys/api-key-text';
import { issueApiKey } from '../api-keys/issue-api-key';
import { MemoryApiKeyStore } from '../api-keys/memory-api-key-store';
import type { Principal } from '../principal';
import { FakeClock } from '../testing/fake-clock';
import { base64url, keyPair, keySet, OTHER_SECRET, SECRET, secretBytes, sign } from '../testing/token-tools';
import { isStreamTokenText, MAX_STREAM_TOKEN_CHARS, STREAM_TOKEN_TYPE } from './stream-token-claims';
import { DEFAULT_STREAM_TOKEN_TTL_SECONDS, MAX_STREAM_TOKEN_TTL_SECONDS } from './stream-token-minter';
import { TOKEN_LEEWAY_SECONDS } from './token-claims';

const BAD = { code: 'unauthorized', message: 'Invalid API key or access token' };
const EXPIRED = { code: 'token_expired' };
const HEADER = { alg: 'HS256', typ: STREAM_TOKEN_TYPE };
const SCOPE = { families: ['registry' as const], chainIds: [1] };
const TTL_MS = 5_000;

async function setUp(tokens: AccessConfigInput['tokens'] = { secrets: [{ secret: SECRET }] }) {
  const clock = new FakeClock();
  const store = new MemoryApiKeyStore(clock.read);
  const operatorKey = newApiKeyText();
  const config = accessConfigSchema.parse({
    tokens,
    apiKeyCache: { ttlMs: TTL_MS },
    operatorKeys: [{ name: 'operator', apiKey: operatorKey, limits: { connections: 7 } }],
  });
  const access = await createAccessControl(config, store, { clock: clock.read });
  const issue = async (expiresAt?: number) => {
    const limits = { connections: 3 };
    const { apiKey, record } = await issueApiKey(
      store,
      { workspaceId: 1, role: 'reader', name: 'test', expiresAt, limits },
      clock.read,
    );
    return { keyId: record.keyId, principal: await access.authenticate({ apiKey }) };
  };
  const { keyId, principal } = await issue();
  const operator = await access.authenticate({ apiKey: operatorKey });
  const nowSeconds = Math.floor(clock.nowMs / 1000);
  const claims = { keyId, workspaceId: 1, scope: SCOPE, exp: nowSeconds + 60, jti: 'token-1' };
  return { clock, store, access, issue, keyId, principal, operator, claims, nowSeconds };
}

const mint = async (access: AccessControl, principal: Principal, ttlSeconds?: number) =>
  (await access.mintStreamToken(principal, { scope: SCOPE, ttlSeconds })).accessToken;

describe('mintStreamToken', () => {
  it('makes a token that says who may stream what, until when', async () => {
    const { access, clock, keyId, principal } = await setUp();
    const { accessToken, expiresAt } = await access.mintStreamToken(principal, { scope: SCOPE });
    expect(expiresAt).toBe(clock.nowMs + DEFAULT_STREAM_TOKEN_TTL_SECONDS * 1000);
    const bearer = await access.authenticateStreamToken(accessToken);
    const expected = { kind: 'stream', keyId, workspaceId: 1, scope: SCOPE, expiresAt, limits: { connections: 3 } };
    expect(bearer).toEqual(expected);
    expect(Object.isFrozen(bearer)).toBe(true);
    expect(isStreamTokenText(accessToken)).toBe(true);
  });

  it('makes one for a whole workspace, for an operator the one that it names', async () => {
    const { access, principal, operator } = await setUp();
    const own = await access.mintStreamToken(principal, { workspaceId: 1 });
    expect(await access.authenticateStreamToken(own.accessToken)).toMatchObject({ workspaceId: 1, scope: {} });
    const named = await access.mintStreamToken(operator, { workspaceId: 9, ttlSeconds: 1 });
    const bearer = await access.authenticateStreamToken(named.accessToken);
    expect(bearer).toMatchObject({ workspaceId: 9, limits: { connections: 7 } });
    await expect(access.mintStreamToken(operator, {})).rejects.toMatchObject({ code: 'invalid_request' });
    await expect(access.mintStreamToken(principal, { workspaceId: 9 })).rejects.toMatchObject(BAD);
  });

  it('makes none that outlives its key', async () => {
    const { access, clock, issue } = await setUp();
    const { principal } = await issue(clock.nowMs + 5_500);
    expect((await access.mintStreamToken(principal, {})).expiresAt).toBe(clock.nowMs + 5_000);
    clock.advance(5_400);
    await expect(access.mintStreamToken(principal, {})).rejects.toMatchObject(EXPIRED);
  });

  it('makes none from anything but a key', async () => {
    const { access, principal } = await setUp();
    const token = await access.authenticateStreamToken(await mint(access, principal));
    const sandbox: Principal = { kind: 'sandbox', sandboxId: 's', workspaceId: 1, expiresAt: Infinity };
    for (const each of [token, sandbox, { kind: 'local', workspaceId: 1 } as const]) {
      await expect(access.mintStreamToken(each, {})).rejects.toMatchObject({ code: 'forbidden' });
    }
  });

  it.each<[string, object]>([
    ['no life', { ttlSeconds: 0 }],
    ['too long a life', { ttlSeconds: MAX_STREAM_TOKEN_TTL_SECONDS + 1 }],
    ['an empty list', { scope: { types: [] } }],
    ['an unknown family', { scope: { families: ['all' as never] } }],
    [
      'more than fits into an address',
      { scope: { entityIds: Array.from({ length: 50 }, (_, n) => 'x'.repeat(200) + n) } },
    ],
    ['another field', { keyId: 'x' }],
  ])('refuses %s', async (_, request) => {
    const { access, principal } = await setUp();
    await expect(access.mintStreamToken(principal, request)).rejects.toMatchObject({ code: 'invalid_request' });
  });

  it('says that no secret is configured', async () => {
    const { access, principal } = await setUp({});
    await expect(access.mintStreamToken(principal, {})).rejects.toMatchObject({ code: 'configuration' });
  });
});

describe('authenticateStreamToken', () => {
  it.each([
    ['exp just within the leeway', (now: number) => ({ exp: now - TOKEN_LEEWAY_SECONDS + 1 }), undefined],
    ['exp at the end of the leeway', (now: number) => ({ exp: now - TOKEN_LEEWAY_SECONDS }), EXPIRED],
    ['exp missing', () => ({ exp: undefined }), BAD],
    ['exp as string', (now: number) => ({ exp: String(now + 60) }), BAD],
    ['exp beyond any date', () => ({ exp: 1e300 }), BAD],
    ['nbf to come', (now: number) => ({ nbf: now + TOKEN_LEEWAY_SECONDS + 1 }), BAD],
    ['jti missing', () => ({ jti: undefined }), BAD],
    ['keyId missing', () => ({ keyId: undefined }), BAD],
    ['keyId of nobody', () => ({ keyId: '5f0c7a52-7a41-4a0e-9f43-0d4a2b1c9e77' }), BAD],
    ['keyId that is none', () => ({ keyId: "' OR 1=1 --" }), BAD],
    ["a workspace that is not the key's", () => ({ workspaceId: 2 }), BAD],
    ['workspaceId as string', () => ({ workspaceId: '1' }), BAD],
    ['workspaceId null', () => ({ workspaceId: null }), BAD],
    ['scope missing', () => ({ scope: undefined }), BAD],
    ['scope with more than is known', () => ({ scope: { workspaceIds: [1, 2] } }), BAD],
    ['scope with an empty list', () => ({ scope: { families: [] } }), BAD],
    ['scope as a list', () => ({ scope: [] }), BAD],
  ])('%s', async (_, changes, error) => {
    const { access, claims, nowSeconds } = await setUp();
    const answer = access.authenticateStreamToken(
      await sign({ ...claims, ...changes(nowSeconds) }, secretBytes(SECRET), HEADER),
    );
    if (error === undefined) expect(await answer).toMatchObject({ kind: 'stream' });
    else await expect(answer).rejects.toMatchObject(error);
  });

  it('takes no other type of token, and no stream token is taken for another', async () => {
    const { access, claims, principal } = await setUp();
    const both = { ...claims, sandboxId: 'sandbox-123' };
    for (const typ of [undefined, 'JWT', 'at+jwt', '', 'sluice-stream', 'sluice-stream+jwt ', 'x/sluice-stream+jwt']) {
      const token = await sign(both, secretBytes(SECRET), { alg: 'HS256', ...(typ === undefined ? {} : { typ }) });
      await expect(access.authenticateStreamToken(token)).rejects.toMatchObject(BAD);
      expect(isStreamTokenText(token)).toBe(false);
    }
    const { accessToken: ofSandbox } = await access.mintAccessToken({ workspaceId: 1, sandboxId: 'sandbox-123' });
    await expect(access.authenticate({ streamToken: ofSandbox })).rejects.toMatchObject(BAD);
    const good = await mint(access, principal);
    for (const typ of [STREAM_TOKEN_TYPE, STREAM_TOKEN_TYPE.toUpperCase(), `application/${STREAM_TOKEN_TYPE}`]) {
      const token = await sign(both, secretBytes(SECRET), { alg: 'HS256', typ });
      await expect(access.authenticateToken(token)).rejects.toMatchObject(BAD);
    }
    for (const credentials of [{ bearer: good }, { apiKey: good }]) {
      await expect(access.authenticate(credentials)).rejects.toMatchObject(BAD);
    }
  });

  it.each(['none', 'None', 'HS384', 'hs256', '', 1, null, undefined, ['HS256']])(
    'refuses the algorithm %j, with and without a signature',
    async (alg) => {
      const { access, principal } = await setUp();
      const [, payload, signature] = (await mint(access, principal)).split('.') as [string, string, string];
      for (const end of ['', signature]) {
        const forged = `${base64url({ alg, typ: STREAM_TOKEN_TYPE })}.${payload}.${end}`;
        await expect(access.authenticateStreamToken(forged)).rejects.toMatchObject(BAD);
      }
    },
  );

  it('refuses other secrets, and the keys of a key set', async () => {
    const rsa = await keyPair('RS256', 'rsa');
    const { access, claims } = await setUp({ secrets: [{ kid: 'a', secret: SECRET }], jwks: keySet(rsa) });
    const forged = [
      await sign(claims, secretBytes(OTHER_SECRET), HEADER),
      await sign(claims, secretBytes(SECRET), { ...HEADER, kid: 'b' }),
      await sign(claims, rsa.privateKey, { ...HEADER, alg: 'RS256', kid: 'rsa' }),
    ];
    for (const token of forged) await expect(access.authenticateStreamToken(token)).rejects.toMatchObject(BAD);
    const rotated = await sign(claims, secretBytes(SECRET), { ...HEADER, kid: 'a' });
    expect(await access.authenticateStreamToken(rotated)).toMatchObject({ kind: 'stream' });
  });

  it('refuses what is tampered with, too long, or no token', async () => {
    const { access, claims, principal } = await setUp();
    const [header, , signature] = (await mint(access, principal)).split('.') as [string, string, string];
    const wider = [header, base64url({ ...claims, scope: {} }), signature].join('.');
    const long = await sign({ ...claims, more: 'x'.repeat(MAX_STREAM_TOKEN_CHARS) }, secretBytes(SECRET), HEADER);
    for (const text of [wider, long, '', 'junk', 'a.b.c', '..', newApiKeyText()]) {
      await expect(access.authenticateStreamToken(text)).rejects.toMatchObject(BAD);
    }
  });

  it('insists on issuer and audience where they are configured', async () => {
    const { access, claims, principal } = await setUp({ secrets: [{ secret: SECRET }], issuer: 'i', audience: 'a' });
    expect(await access.authenticateStreamToken(await mint(access, principal))).toMatchObject({ kind: 'stream' });
    for (const changes of [{}, { iss: 'i' }, { iss: 'i', aud: 'b' }]) {
      const token = await sign({ ...claims, ...changes }, secretBytes(SECRET), HEADER);
      await expect(access.authenticateStreamToken(token)).rejects.toMatchObject(BAD);
    }
  });

  it('refuses a token whose key was revoked, within the time that keys are cached', async () => {
    const { access, clock, store, keyId, principal } = await setUp();
    const streamToken = await mint(access, principal);
    expect(await access.authenticate({ streamToken })).toMatchObject({ kind: 'stream' });
    expect(access.authenticateCached({ streamToken })).toMatchObject({ kind: 'stream', keyId });
    await store.revoke({ keyId });
    clock.advance(TTL_MS);
    expect(access.authenticateCached({ streamToken })).toBeUndefined();
    expect(access.isKnown({ streamToken })).toBe(true);
    await expect(access.authenticate({ streamToken })).rejects.toMatchObject(BAD);
  });

  it('refuses it at once in the process that is told', async () => {
    const { access, store, keyId, principal } = await setUp();
    const streamToken = await mint(access, principal);
    await access.authenticate({ streamToken });
    await store.revoke({ keyId });
    access.forgetApiKey(keyId);
    await expect(access.authenticate({ streamToken })).rejects.toMatchObject(BAD);
  });

  it('asks the store once for many tokens of one key', async () => {
    const { access, store, principal } = await setUp();
    const asked = jest.spyOn(store, 'findByIds');
    const tokens = await Promise.all(Array.from({ length: 5 }, () => mint(access, principal)));
    await Promise.all(tokens.map((streamToken) => access.authenticate({ streamToken })));
    expect(asked).toHaveBeenCalledTimes(1);
  });

  it('says that keys cannot be checked, not that the token is bad, while the store fails', async () => {
    const { access, store, principal } = await setUp();
    const streamToken = await mint(access, principal);
    jest.spyOn(store, 'findByIds').mockRejectedValue(new Error('away'));
    await expect(access.authenticate({ streamToken })).rejects.toMatchObject({ code: 'read_model_unavailable' });
  });
});

describe('watching a stream token', () => {
  beforeEach(() => jest.useFakeTimers({ now: 1_800_000_000_000 }));
  afterEach(() => jest.useRealTimers());

  async function open(makesOperator: boolean) {
    const store = new MemoryApiKeyStore();
    const operatorKey = newApiKeyText();
    const config = accessConfigSchema.parse({
      tokens: { secrets: [{ secret: SECRET }] },
      operatorKeys: [{ name: 'operator', apiKey: operatorKey }],
      apiKeyCache: { ttlMs: TTL_MS },
    });
    const access = await createAccessControl(config, store);
    const { apiKey, record } = await issueApiKey(store, { workspaceId: 1, role: 'reader', name: 'test' });
    const holder = await access.authenticate({ apiKey: makesOperator ? operatorKey : apiKey });
    const { accessToken } = await access.mintStreamToken(holder, { workspaceId: 1, ttlSeconds: 60 });
    const ended: string[] = [];
    access.watch(await access.authenticateStreamToken(accessToken), ({ code }) => ended.push(code));
    return { store, keyId: record.keyId, ended };
  }

  it.each([true, false])('ends what it opened when it expires (operator: %s)', async (makesOperator) => {
    const { ended } = await open(makesOperator);
    await jest.advanceTimersByTimeAsync((60 + TOKEN_LEEWAY_SECONDS) * 1000 - 1);
    expect(ended).toEqual([]);
    await jest.advanceTimersByTimeAsync(1);
    expect(ended).toEqual(['token_expired']);
    expect(jest.getTimerCount()).toBe(0);
  });

  it('ends what it opened when its key is revoked', async () => {
    const { store, keyId, ended } = await open(false);
    await store.revoke({ keyId });
    await jest.advanceTimersByTimeAsync(TTL_MS);
    expect(ended).toEqual(['unauthorized']);
  });
});
