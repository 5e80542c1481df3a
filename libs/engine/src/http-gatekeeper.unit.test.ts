import {
  accessConfigSchema,
  CallerLimiter,
  createAccessControl,
  FailedAuthenticationLimiter,
  issueApiKey,
  MemoryApiKeyStore,
  newApiKeyText,
  type AccessConfigInput,
} from '@sluice/access';
import { fastify as createFastify, type FastifyInstance } from 'fastify';
import { HttpGatekeeper, type AdmitOptions } from './http-gatekeeper';

const SECRET = 'a secret of at least thirty-two bytes';

describe('HttpGatekeeper', () => {
  const opened: FastifyInstance[] = [];
  afterEach(async () => {
    for (const fastify of opened.splice(0)) await fastify.close();
  });

  /** A door that tells who came in, and whether that was known at once. */
  async function setUp(limits: AccessConfigInput['limits'] = {}, loopbackWorkspace?: number) {
    const config = accessConfigSchema.parse({ tokens: { secrets: [{ secret: SECRET }] }, limits });
    const store = new MemoryApiKeyStore();
    const access = await createAccessControl(config, store);
    const limiter = new CallerLimiter(config.limits);
    const failures = new FailedAuthenticationLimiter({
      ...config.limits.failedAuthentication,
      maxTracked: config.limits.maxTracked,
    });
    const gatekeeper = new HttpGatekeeper(
      access,
      limiter,
      failures,
      loopbackWorkspace === undefined ? {} : { loopbackWorkspace },
    );
    const fastify = createFastify({ trustProxy: true });
    opened.push(fastify);
    fastify.setErrorHandler((error: Error & { code?: string; status?: number }, _request, reply) =>
      reply.status(error.status ?? 500).send({ code: error.code }),
    );
    const door = (path: string, options?: AdmitOptions) =>
      fastify.get(path, async (request) => {
        const admitted = gatekeeper.admit(request, options);
        const isKnown = !(admitted instanceof Promise);
        return { isKnown, ...(await admitted) };
      });
    door('/');
    door('/stream', { queryToken: true });
    door('/local', { loopback: true });
    door('/local-stream', { queryToken: true, loopback: true });
    const { apiKey, record } = await issueApiKey(store, { workspaceId: 7, role: 'reader', name: 'test' });
    const call = async (headers: Record<string, string>, url = '/') => {
      const answer = await fastify.inject({ url, headers });
      return { status: answer.statusCode, ...answer.json<Record<string, unknown>>() };
    };
    const newStreamToken = async () => {
      const principal = await access.authenticateApiKey(apiKey);
      const { accessToken } = await access.mintStreamToken(principal, { scope: { families: ['workspace'] } });
      return accessToken;
    };
    return { access, store, gatekeeper, apiKey, keyId: record.keyId, call, newStreamToken };
  }

  it('admits a key and a token, at once when they were accepted lately', async () => {
    const { access, apiKey, keyId, call } = await setUp();
    const caller = { status: 200, kind: 'api_key', keyId, workspaceId: 7 };
    expect(await call({ 'x-api-key': apiKey })).toMatchObject({ ...caller, isKnown: false });
    expect(await call({ 'x-api-key': apiKey })).toMatchObject({ ...caller, isKnown: true });
    expect(await call({ authorization: `Bearer ${apiKey}` })).toMatchObject({ ...caller, isKnown: true });
    const { accessToken } = await access.mintAccessToken({ workspaceId: 7, sandboxId: 's' });
    expect(await call({ authorization: `Bearer ${accessToken}` })).toMatchObject({ kind: 'sandbox', sandboxId: 's' });
  });

  it.each<[string, Record<string, string>]>([
    ['nothing', {}],
    ['an unknown key', { 'x-api-key': newApiKeyText() }],
    ['another scheme', { authorization: 'Basic dTpw' }],
    ['junk', { authorization: 'Bearer junk' }],
  ])('refuses %s', async (_, headers) => {
    const { call } = await setUp();
    expect(await call(headers)).toEqual({ status: 401, code: 'unauthorized' });
  });

  it('counts each request against the rate of its caller, known or not', async () => {
    const { apiKey, call } = await setUp({ apiKey: { requestsPerSecond: 0.001, burst: 2 } });
    expect((await call({ 'x-api-key': apiKey })).status).toBe(200);
    expect((await call({ 'x-api-key': apiKey })).status).toBe(200);
    expect(await call({ 'x-api-key': apiKey })).toEqual({ status: 429, code: 'rate_limited' });
  });

  it('slows down an address that guesses, and not callers that are known there', async () => {
    const { apiKey, call } = await setUp({ failedAuthentication: { perSecond: 0.001, burst: 2 } });
    const from = (address: string, key: string) => call({ 'x-forwarded-for': address, 'x-api-key': key });
    await from('192.0.2.1', apiKey);
    for (let n = 0; n < 2; n++) expect((await from('192.0.2.1', newApiKeyText())).status).toBe(401);
    expect(await from('192.0.2.1', newApiKeyText())).toEqual({ status: 429, code: 'rate_limited' });
    expect((await from('192.0.2.1', apiKey)).status).toBe(200);
    expect((await from('192.0.2.2', newApiKeyText())).status).toBe(401);
  });

  it('tells when what a key has opened must end', async () => {
    const { access, store, gatekeeper, apiKey, keyId } = await setUp();
    const principal = await access.authenticateApiKey(apiKey);
    const ended = new Promise((resolve) => gatekeeper.watch(principal, (reason) => resolve(reason.code)));
    await store.revoke({ keyId });
    access.forgetApiKey(keyId);
    expect(await ended).toBe('unauthorized');
  });

  describe('stream tokens', () => {
    const REFUSED = { status: 401, code: 'unauthorized' };
    const bearer = (token: string) => ({ authorization: `Bearer ${token}` });

    it('come in as a bearer and in the address, at doors that take them', async () => {
      const { call, keyId, newStreamToken } = await setUp();
      const token = await newStreamToken();
      const caller = { status: 200, kind: 'stream', keyId, workspaceId: 7, scope: { families: ['workspace'] } };
      expect(await call({}, `/stream?token=${token}`)).toMatchObject(caller);
      expect(await call({}, `/stream?a=b&token=${token}`)).toMatchObject({ ...caller, isKnown: true });
      expect(await call(bearer(token), '/stream')).toMatchObject(caller);
    });

    it('are refused at every other door', async () => {
      const { call, newStreamToken } = await setUp();
      const token = await newStreamToken();
      for (const path of ['/', '/local']) {
        expect(await call(bearer(token), path)).toEqual(REFUSED);
        expect(await call({}, `${path}?token=${token}`)).toEqual(REFUSED);
        expect(await call({ 'x-api-key': token }, path)).toEqual(REFUSED);
      }
    });

    it('are the only thing that counts in an address', async () => {
      const { access, call, apiKey } = await setUp();
      const { accessToken } = await access.mintAccessToken({ workspaceId: 7, sandboxId: 's' });
      for (const text of [apiKey, accessToken, 'junk', '', 'x'.repeat(10_000)]) {
        expect(await call({}, `/stream?token=${text}`)).toEqual(REFUSED);
      }
      expect(await call({}, `/stream?apiKey=${apiKey}&api_key=${apiKey}&access_token=${apiKey}`)).toEqual(REFUSED);
    });

    it('are refused when one comes twice', async () => {
      const { call, newStreamToken } = await setUp();
      const token = await newStreamToken();
      expect(await call({}, `/stream?token=${token}&token=${token}`)).toEqual(REFUSED);
    });

    it('yield to a credential in the headers, good or bad', async () => {
      const { call, apiKey, newStreamToken } = await setUp();
      const token = await newStreamToken();
      const url = `/stream?token=${token}`;
      expect(await call({ 'x-api-key': apiKey }, url)).toMatchObject({ status: 200, kind: 'api_key' });
      expect(await call({ 'x-api-key': newApiKeyText() }, url)).toEqual(REFUSED);
      expect(await call(bearer('junk'), url)).toEqual(REFUSED);
    });

    it('do not outlive their key, and count with it', async () => {
      const { access, store, call, keyId, newStreamToken } = await setUp({
        apiKey: { requestsPerSecond: 0.001, burst: 2 },
      });
      const url = `/stream?token=${await newStreamToken()}`;
      expect((await call({}, url)).status).toBe(200);
      expect((await call({}, url)).status).toBe(200);
      expect(await call({}, url)).toEqual({ status: 429, code: 'rate_limited' });
      await store.revoke({ keyId });
      access.forgetApiKey(keyId);
      expect(await call({}, url)).toEqual(REFUSED);
    });

    it('are guessed no faster than other credentials', async () => {
      const { call } = await setUp({ failedAuthentication: { perSecond: 0.001, burst: 2 } });
      const guess = () => call({ 'x-forwarded-for': '192.0.2.1' }, '/stream?token=aaa.bbb.ccc');
      expect([(await guess()).status, (await guess()).status, (await guess()).status]).toEqual([401, 401, 429]);
    });
  });

  describe('callers over loopback', () => {
    const LOCAL = { status: 200, kind: 'local', workspaceId: 5, isKnown: true };

    it('are let in where the door and the setting say so', async () => {
      const { call } = await setUp({}, 5);
      expect(await call({}, '/local')).toEqual(LOCAL);
      expect(await call({}, '/local-stream')).toEqual(LOCAL);
      expect(await call({})).toMatchObject({ status: 401 });
      expect(await call({}, '/stream')).toMatchObject({ status: 401 });
      const without = await setUp();
      expect(await without.call({}, '/local')).toMatchObject({ status: 401 });
    });

    it.each<[string, Record<string, string>]>([
      ['a foreign page', { origin: 'https://evil.example' }],
      ['a page without origin', { origin: 'null' }],
      ['a foreign host', { host: 'evil.example' }],
      ['X-Forwarded-For', { 'x-forwarded-for': '127.0.0.1' }],
      ['Forwarded', { forwarded: 'for=127.0.0.1' }],
    ])('are not let in with %s', async (_, headers) => {
      const { call } = await setUp({}, 5);
      expect(await call(headers, '/local')).toMatchObject({ status: 401 });
    });

    it('are judged by the credential that they show', async () => {
      const { call, apiKey } = await setUp({}, 5);
      expect(await call({ 'x-api-key': apiKey }, '/local')).toMatchObject({ kind: 'api_key', workspaceId: 7 });
      const shown: Record<string, string>[] = [
        { 'x-api-key': newApiKeyText() },
        { 'x-api-key': '' },
        { authorization: 'Basic dTpw' },
        { authorization: `Bearer ${'x'.repeat(10_000)}` },
      ];
      for (const headers of shown) {
        expect(await call(headers, '/local')).toMatchObject({ status: 401 });
      }
      for (const path of ['/local', '/local-stream']) {
        expect(await call({}, `${path}?token=junk`)).toMatchObject({ status: 401 });
      }
    });

    it('have a rate of their own', async () => {
      const limit = { requestsPerSecond: 0.001, burst: 2 };
      const { call } = await setUp({ apiKey: limit, sandbox: limit }, 5);
      const statuses = [];
      for (let n = 0; n < 3; n++) statuses.push((await call({}, '/local')).status);
      expect(statuses).toEqual([200, 200, 429]);
    });
  });
});
