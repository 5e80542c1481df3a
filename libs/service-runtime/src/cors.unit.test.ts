import { Anthropic } from '@anthropic-ai/sdk';
import { SluiceError } from '@sluice/event-log';
import { startApp } from '../test/http-fixture';
import { ORIGIN_PATTERN, type HttpApp, type HttpAppOptions } from './index';

const PAGE = 'https://app.example';

/** Those that the SDK sends from a page, but for what browsers always allow. */
async function headersOfTheSdk(): Promise<readonly string[]> {
  const sent: string[] = [];
  const client = new Anthropic({
    apiKey: 'sk',
    maxRetries: 0,
    dangerouslyAllowBrowser: true,
    fetch: (_url, init) => {
      sent.push(...new Headers(init?.headers).keys());
      return Promise.resolve(new Response('{}', { headers: { 'content-type': 'application/json' } }));
    },
  });
  await client.beta.sessions.events.send('sesn_x', { events: [], workspace_id: '1' });
  expect(sent).toEqual(expect.arrayContaining(['anthropic-version', 'anthropic-beta', 'x-stainless-lang']));
  return sent.filter((name) => name !== 'accept');
}

describe('answers to web pages', () => {
  const running: HttpApp[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });

  async function start(options: Partial<HttpAppOptions> = {}) {
    const { app } = await startApp({
      ...options,
      routes: ({ fastify }) => {
        const refuse = new SluiceError('unauthorized', 'who are you');
        fastify.post('/private', { onRequest: (_request, _reply, done) => done(refuse) }, () => 'in');
      },
    });
    running.push(app);
    return app;
  }

  const preflight = (app: HttpApp, url: string, origin = PAGE) =>
    app.fastify.inject({
      method: 'OPTIONS',
      url,
      headers: {
        origin,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization,content-type',
      },
    });

  it.each(['/private', '/nest/echo', '/nowhere'])('answers a preflight of %s without asking who calls', async (url) => {
    const answer = await preflight(await start(), url);
    expect([answer.statusCode, answer.body]).toEqual([204, '']);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-allow-methods': 'GET, POST, PUT, PATCH, DELETE, OPTIONS',
      'access-control-allow-headers': expect.stringContaining(
        'Content-Type, Authorization, X-API-Key, X-API-Version, X-Request-ID, Idempotency-Key, Last-Event-ID',
      ),
      'access-control-max-age': '86400',
      'x-request-id': expect.any(String),
    });
    expect(answer.headers['access-control-allow-credentials']).toBeUndefined();
  });

  it('answers an OPTIONS that is no preflight alike', async () => {
    const app = await start();
    expect((await app.fastify.inject({ method: 'OPTIONS', url: '/private' })).statusCode).toBe(204);
  });

  it.each([
    ['an answer', 'GET', '/bare/address', 200],
    ['a refusal of a hook', 'POST', '/private', 401],
    ['too many requests', 'GET', '/bare/code/rate_limited', 429],
    ['an error of Nest', 'GET', '/nest/fail/unknown', 500],
    ['an unknown path', 'GET', '/nowhere', 404],
    ['an unknown method', 'DELETE', '/private', 405],
  ] as const)('lets pages read %s', async (_name, method, url, status) => {
    const answer = await (await start()).fastify.inject({ method, url, headers: { origin: PAGE } });
    expect(answer.statusCode).toBe(status);
    expect(answer.headers).toMatchObject({
      'access-control-allow-origin': '*',
      'access-control-expose-headers':
        'X-Request-ID, X-RateLimit-Limit, X-RateLimit-Remaining, X-RateLimit-Reset, Retry-After, X-Next-Cursor, Last-Event-ID, Request-ID, Retry-After-Ms, X-Should-Retry',
    });
  });

  it('lets the SDK of sessions in a page send all of its headers', async () => {
    const { headers } = await preflight(await start(), '/private');
    const allowed = String(headers['access-control-allow-headers']).toLowerCase().split(', ');
    expect(allowed).toEqual(expect.arrayContaining(await headersOfTheSdk()));
  });

  it.each(['starting', 'closed'] as const)('lets pages read the refusal while the gate is %s', async (gate) => {
    const app = await start();
    app.setGate(gate);
    const answer = await app.fastify.inject({ url: '/bare/address', headers: { origin: PAGE } });
    expect([answer.statusCode, answer.headers['access-control-allow-origin']]).toEqual([503, '*']);
    expect((await preflight(app, '/private')).statusCode).toBe(204);
  });

  it('names the listed origin alone, and tells caches that it depends on it', async () => {
    const app = await start({ corsOrigins: [PAGE, 'http://localhost:3000'] });
    const allowed = async (origin?: string) => {
      const { headers } = await app.fastify.inject({ url: '/bare/address', headers: origin ? { origin } : {} });
      expect(headers.vary).toMatch(/origin/i);
      return headers['access-control-allow-origin'];
    };
    expect(await allowed(PAGE)).toBe(PAGE);
    expect(await allowed('http://localhost:3000')).toBe('http://localhost:3000');
    for (const origin of ['https://evil.example', `${PAGE}.evil.example`, 'http://app.example', 'null', undefined]) {
      expect(await allowed(origin)).toBeUndefined();
    }
    expect((await preflight(app, '/private')).headers['access-control-allow-origin']).toBe(PAGE);
    const foreign = await preflight(app, '/private', 'https://evil.example');
    expect(foreign.headers['access-control-allow-origin']).toBeUndefined();
    const failed = await app.fastify.inject({ method: 'POST', url: '/private', headers: { origin: PAGE } });
    expect([failed.statusCode, failed.headers['access-control-allow-origin']]).toEqual([401, PAGE]);
  });

  it('takes every origin when one of several is the star', async () => {
    const app = await start({ corsOrigins: [PAGE, '*'] });
    const { headers } = await app.fastify.inject({
      url: '/bare/address',
      headers: { origin: 'https://other.example' },
    });
    expect(headers['access-control-allow-origin']).toBe('*');
  });

  it('gives its headers to a reply that writes its own head', async () => {
    const { app } = await startApp({
      routes: ({ fastify }) => {
        fastify.get('/own-head', (_request, reply) => {
          reply.hijack();
          for (const [name, value] of Object.entries(reply.getHeaders())) reply.raw.setHeader(name, String(value));
          reply.raw.writeHead(200).end('own');
        });
      },
    });
    running.push(app);
    const { headers } = await app.fastify.inject({ url: '/own-head', headers: { origin: PAGE } });
    expect(headers['access-control-allow-origin']).toBe('*');
    expect(headers['access-control-expose-headers']).toContain('Retry-After');
  });

  it('knows an origin from what is none', () => {
    for (const good of ['*', PAGE, 'http://localhost:3000', 'tauri://localhost']) expect(good).toMatch(ORIGIN_PATTERN);
    for (const bad of ['null', 'app.example', `${PAGE}/`, `${PAGE}/path`, 'https://App.example', 'https://', '**']) {
      expect(bad).not.toMatch(ORIGIN_PATTERN);
    }
  });
});
