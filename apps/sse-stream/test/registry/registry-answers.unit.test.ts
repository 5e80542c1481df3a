import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { until } from '@sluice/event-log/conformance';
import { startStreams, type StreamService } from '../stream-service';

const PATH = '/api/v1/events';
const UNKNOWN_KEY = `sk_${'x'.repeat(43)}`;
const DETAILS = {
  requestId: expect.any(String),
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT[\d:.]{12}Z$/),
};

/** The answer of the documented sample, as it stands in the documents of the registry API. */
const INFO = JSON.parse(readFileSync(join(__dirname, 'info-sample.json'), 'utf8'));

describe('what /api/v1/events answers when there is no stream', () => {
  let service: StreamService;
  let key: string;
  beforeEach(async () => {
    service = await startStreams();
    key = await service.key();
  });
  afterEach(() => service.stop());

  it.each([
    ['no key', '', {}, 'API key required'],
    ['a key in the query', `?apiKey=${UNKNOWN_KEY}`, {}, 'API key required'],
    ['a key in a cookie', '', { headers: { cookie: `apiKey=${UNKNOWN_KEY}` } }, 'API key required'],
    ['an unknown key', '', { key: UNKNOWN_KEY }, 'Invalid API key'],
    ['an unknown bearer', '', { bearer: UNKNOWN_KEY }, 'Invalid API key'],
    ['a bad stream token', '?token=nonsense', {}, 'Invalid API key'],
  ])('401 for %s, in two fields and a code', async (_name, query, credentials, error) => {
    for (const path of [PATH, `${PATH}/info`, `${PATH}/unknown`]) {
      const client = await service.openAt(`${path}${query}`, credentials);
      expect(client.status).toBe(401);
      expect(await client.json()).toEqual({ success: false, error, code: 'UNAUTHORIZED' });
      expect(client.header('x-ratelimit-limit')).toBeUndefined();
      expect(client.header('www-authenticate')).toBeUndefined();
      expect(client.header('x-frame-options')).toBe('DENY');
      expect(client.header('content-type')).toBe('application/json');
    }
  });

  it('takes the key as X-API-Key or as a bearer, and X-API-Key decides', async () => {
    for (const credentials of [{ key }, { bearer: key }, { headers: { authorization: `bearer ${key}` } }]) {
      expect((await service.openAt(PATH, credentials)).status).toBe(200);
    }
    expect((await service.openAt(PATH, { key: UNKNOWN_KEY, bearer: key })).status).toBe(401);
  });

  it.each([
    ['POST', PATH],
    ['PUT', PATH],
    ['PATCH', PATH],
    ['DELETE', PATH],
    ['GET', `${PATH}/`],
    ['GET', `${PATH}/xyz`],
    ['GET', `${PATH}/info/`],
    ['POST', `${PATH}/info`],
  ])('404 for %s %s, never 405', async (method, path) => {
    const client = await service.openAt(path, { key, method });
    expect(client.status).toBe(404);
    expect(await client.json()).toEqual({ success: false, error: 'Not Found', code: 'NOT_FOUND' });
    expect(client.header('allow')).toBeUndefined();
    expect(client.header('x-frame-options')).toBe('DENY');
  });

  it('leaves paths that only look alike to others', async () => {
    const client = await service.openAt(`${PATH}foo`, { key });
    expect(await client.json()).toMatchObject({ code: 'not_found' });
  });

  it('a preflight without asking who it is', async () => {
    const headers = { origin: 'https://8004.dev', 'access-control-request-method': 'GET' };
    const client = await service.openAt(PATH, { method: 'OPTIONS', headers });
    expect(client.status).toBe(204);
    expect(client.header('access-control-allow-origin')).toBe('*');
    for (const name of ['Content-Type', 'X-API-Version', 'X-Request-ID', 'X-API-Key', 'Authorization']) {
      expect(client.header('access-control-allow-headers')).toContain(name);
    }
    expect(client.header('access-control-max-age')).toBe('86400');
  });

  it('/info, as documented', async () => {
    const client = await service.openAt(`${PATH}/info`, { key });
    expect(client.status).toBe(200);
    expect(client.header('content-type')).toBe('application/json');
    await client.closed();
    expect(client.text).toBe(JSON.stringify(INFO));
  });

  it.each([
    ['agentIds=1', 'agentIds'],
    ['agentIds=1:2,', 'agentIds'],
    ['chainIds=abc', 'chainIds'],
    ['chainIds=1.5', 'chainIds'],
    ['chainIds=-1', 'chainIds'],
    ['chainIds=1&chainIds=2', 'chainIds'],
    ['eventTypes=reputation', 'eventTypes'],
    ['reputation=TRUE', 'reputation'],
    ['registrations=', 'registrations'],
    ['heartbeat=abc', 'heartbeat'],
    ['heartbeat=4', 'heartbeat'],
    ['heartbeat=61', 'heartbeat'],
    ['lastEventId=17', 'lastEventId'],
    ['reputatoin=true', 'reputatoin'],
    ['__proto__=1', '__proto__'],
    ['constructor=1', 'constructor'],
  ])('with strict=true 400 for %s, which names the parameter; without it a stream', async (query, name) => {
    const strict = await service.openAt(`${PATH}?${query}&strict=true`, { key });
    expect(strict.status).toBe(400);
    expect(await strict.json()).toEqual({
      success: false,
      error: expect.stringMatching(new RegExp(`^Invalid ${name}: `)),
      code: 'VALIDATION_ERROR',
      ...DETAILS,
    });
    expect((await service.openAt(`${PATH}?${query}`, { key })).status).toBe(200);
  });

  it('a stream for as many filters as an address can hold', async () => {
    const most = (name: string, item: (n: number) => string) => {
      let query = `?${name}=1`;
      for (let n = 2; query.length < 15_000; n++) query += `,${item(n)}`;
      return query;
    };
    for (const query of [most('chainIds', (n) => `${n}`), most('agentIds', (n) => `${n}:${n % 10}`)]) {
      const client = await service.openAt(`${PATH}${query}`, { key });
      await client.has('connected');
    }
  });

  it('with strict=true a stream for everything that is right', async () => {
    const query =
      'agentIds=1:2,3:0&chainIds=1,3&eventTypes=connected,agent_updated,agent_transferred&reputation=true&registrations=false&validations=true&heartbeat=60';
    expect((await service.openAt(`${PATH}?${query}&strict=true&lastEventId=earliest`, { key })).status).toBe(200);
  });

  it('429 for the eleventh stream of a key over all doors of the pool, freed at once when one leaves', async () => {
    const streams = [];
    for (let n = 0; n < 10; n++) streams.push(await service.openAt(PATH, { key }));
    expect(streams.map(({ status }) => status)).toEqual(Array.from({ length: 10 }, () => 200));
    const refused = await service.openAt(PATH, { key, headers: { 'x-request-id': 'eleventh' } });
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused.header('x-ratelimit-limit')).toMatch(/^\d+$/);
    expect(await refused.json()).toEqual({
      success: false,
      error: 'Too many connections',
      code: 'RATE_LIMIT_EXCEEDED',
      ...DETAILS,
      requestId: 'eleventh',
    });
    // Other callers, other doors and what is no stream are not held up.
    expect((await service.openAt(PATH, { key: await service.key() })).status).toBe(200);
    expect((await service.openAt(`${PATH}/info`, { key })).status).toBe(200);
    expect((await service.openAt(PATH, { key, method: 'HEAD' })).status).toBe(200);
    expect((await service.open('', { key })).status).toBe(200);
    streams[3]?.destroy();
    await until(async () => (await service.openAt(PATH, { key })).status === 200, 'the place is free');
  });

  it('as many streams as the key itself says', async () => {
    const own = await service.key({ limits: { connections: 1 } });
    expect((await service.openAt(PATH, { key: own })).status).toBe(200);
    expect((await service.openAt(PATH, { key: own })).status).toBe(429);
  });

  it('429 for requests that come too often', async () => {
    const slow = await service.key({ limits: { requestsPerSecond: 0.1, burst: 1 } });
    const first = await service.openAt(`${PATH}/info`, { key: slow });
    expect(first.header('x-ratelimit-limit')).toBe('1');
    expect(first.header('x-ratelimit-remaining')).toBe('0');
    const refused = await service.openAt(PATH, { key: slow });
    expect(refused.status).toBe(429);
    expect(Number(refused.header('retry-after'))).toBeGreaterThanOrEqual(1);
    expect(refused.header('x-ratelimit-remaining')).toBe('0');
    expect(await refused.json()).toEqual({
      success: false,
      error: 'Rate limit exceeded. Please try again later.',
      code: 'RATE_LIMIT_EXCEEDED',
      ...DETAILS,
    });
  });

  it('401 for the token of a sandbox, which registries are no part of', async () => {
    const client = await service.openAt(PATH, { bearer: await service.token() });
    expect(client.status).toBe(401);
  });

  it('503 while it drains', async () => {
    await (await service.host.feed()).stop();
    const client = await service.openAt(PATH, { key });
    expect(client.status).toBe(503);
    expect(await client.json()).toMatchObject({ success: false, code: 'SERVICE_UNAVAILABLE', ...DETAILS });
  });
});
