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
import { HttpGatekeeper } from './http-gatekeeper';

const SECRET = 'a secret of at least thirty-two bytes';

describe('HttpGatekeeper', () => {
  const opened: FastifyInstance[] = [];
  afterEach(async () => {
    for (const fastify of opened.splice(0)) await fastify.close();
  });

  /** A door that tells who came in, and whether that was known at once. */
  async function setUp(limits: AccessConfigInput['limits'] = {}) {
    const config = accessConfigSchema.parse({ tokens: { secrets: [{ secret: SECRET }] }, limits });
    const store = new MemoryApiKeyStore();
    const access = await createAccessControl(config, store);
    const limiter = new CallerLimiter(config.limits);
    const failures = new FailedAuthenticationLimiter({
      ...config.limits.failedAuthentication,
      maxTracked: config.limits.maxTracked,
    });
    const gatekeeper = new HttpGatekeeper(access, limiter, failures);
    const fastify = createFastify({ trustProxy: true });
    opened.push(fastify);
    fastify.setErrorHandler((error: Error & { code?: string; status?: number }, _request, reply) =>
      reply.status(error.status ?? 500).send({ code: error.code }),
    );
    fastify.get('/', async (request) => {
      const admitted = gatekeeper.admit(request);
      const isKnown = !(admitted instanceof Promise);
      return { isKnown, ...(await admitted) };
    });
    const { apiKey, record } = await issueApiKey(store, { workspaceId: 7, role: 'reader', name: 'test' });
    const call = async (headers: Record<string, string>) => {
      const answer = await fastify.inject({ url: '/', headers });
      return { status: answer.statusCode, ...answer.json<Record<string, unknown>>() };
    };
    return { access, store, gatekeeper, apiKey, keyId: record.keyId, call };
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
});
