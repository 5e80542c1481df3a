import { Module } from '@nestjs/common';
import { SluiceError } from '@sluice/event-log';
import { exchange, until } from '../test/harness';
import { startApp } from '../test/http-fixture';
import type { HttpApp } from './index';

describe('HTTP app at its limits', () => {
  let running: Awaited<ReturnType<typeof startApp>>;
  let app: HttpApp;
  let port: number;

  beforeAll(async () => {
    running = await startApp();
    app = running.app;
    port = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => app.close());

  it('does not believe X-Forwarded-For unless told to', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 9.9.9.9' };
    const plain = await app.fastify.inject({ url: '/bare/address', headers });
    expect(plain.json()).toEqual({ ip: '127.0.0.1' });
    const behindOne = await startApp({ trustProxy: 1 });
    const seen = await behindOne.app.fastify.inject({ url: '/bare/address', headers });
    expect(seen.json()).toEqual({ ip: '9.9.9.9' });
    await behindOne.app.close();
  });

  it.each([4_000_000, 40_000_000])(
    'lets a caller that sends %i bytes, which is too much, read the answer',
    async (size) => {
      const head = `POST /bare/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`;
      const answer = await exchange(port, head, Buffer.alloc(size, 0x20));
      expect(answer).toMatch(/^HTTP\/1\.1 413 /);
      expect(answer).toContain('"code":"payload_too_large"');
    },
  );

  it('bounds a chunked body that announces no length', async () => {
    const head =
      'POST /bare/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nTransfer-Encoding: chunked\r\n\r\n';
    const chunk = `3e8\r\n${'1'.repeat(1000)}\r\n`;
    const answer = await exchange(port, head, chunk.repeat(50), '0\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
  });

  it.each([
    ['no HTTP at all', '\x16\x03\x01 hello\r\n\r\n', 400],
    ['a head that is too large', `GET / HTTP/1.1\r\nHost: x\r\nX-Big: ${'a'.repeat(20_000)}\r\n\r\n`, 431],
    ['two lengths', 'POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\n', 400],
  ])('answers %s in the same form and closes', async (_name, bytes, status) => {
    const answer = await exchange(port, bytes);
    expect(answer.startsWith(`HTTP/1.1 ${status} `)).toBe(true);
    expect(answer).toContain('{"success":false,"error":');
    expect(answer).toContain('"code":"invalid_request"');
  });

  it('breaks the connection when a handler fails in the middle of its answer', async () => {
    const answer = await exchange(port, 'GET /bare/late HTTP/1.1\r\nHost: x\r\n\r\n');
    expect(answer).toMatch(/^HTTP\/1\.1 200 /);
    expect(answer.endsWith('\r\n\r\nhalf')).toBe(true);
  });

  it('measures by route pattern, never by URL', async () => {
    await app.fastify.inject('/bare/code/not_found?secret=1');
    await app.fastify.inject('/nest/fail/sluice');
    await app.fastify.inject('/some/unknown/path');
    const text = await running.metrics.expose();
    expect(text).toMatch(
      /sluice_http_request_duration_seconds_count\{route="\/bare\/code\/:code",method="GET",status="404"\} \d/,
    );
    expect(text).toMatch(/_count\{route="\/nest\/fail\/:kind",method="GET",status="409"\} \d/);
    expect(text).toMatch(/_count\{route="unmatched",method="GET",status="404"\} \d/);
    expect(text).not.toMatch(/unknown\/path|secret|not_found/);
  });

  it('logs a failure at info and a success at debug, without the URL', async () => {
    const before = running.lines.length;
    await app.fastify.inject({ url: '/bare/code/not_found?token=s3cret', headers: { 'x-request-id': 'r-404' } });
    await app.fastify.inject({ url: '/bare/address', headers: { 'x-request-id': 'r-200' } });
    const lines = running.lines.slice(before);
    expect(lines).toEqual([
      expect.objectContaining({
        level: 'info',
        message: 'request',
        status: 404,
        route: '/bare/code/:code',
        requestId: 'r-404',
      }),
      expect.objectContaining({ level: 'debug', message: 'request', status: 200, method: 'GET', requestId: 'r-200' }),
    ]);
    expect(lines[0]?.['durationMs']).toEqual(expect.any(Number));
    expect(JSON.stringify(lines)).not.toContain('s3cret');
  });

  it.each([
    ['an unknown path', 'GET', '/nowhere'],
    ['an unknown method', 'DELETE', '/bare/echo'],
    ['an address that is no URL', 'GET', '/%zz'],
    ['a segment that is too long', 'GET', `/bare/code/${'x'.repeat(600)}`],
    ['an unforeseen error', 'GET', '/bare/unknown'],
    ['an error of Nest', 'GET', '/nest/fail/unknown'],
    ['a preflight', 'OPTIONS', '/bare/echo'],
  ] as const)('neither logs nor answers the token in the address of %s', async (_name, method, path) => {
    const before = running.lines.length;
    const answer = await app.fastify.inject({ method, url: `${path}?a=b&token=s3cret` });
    expect(running.lines.length).toBeGreaterThan(before);
    expect(running.text()).not.toContain('s3cret');
    expect(JSON.stringify(answer.headers) + answer.body).not.toContain('s3cret');
  });

  it('counts streams apart and knows when they end', async () => {
    const inHand = async () => /in_hand\{kind="long"\} (\d)/.exec(await running.metrics.expose())?.[1];
    const leave = new AbortController();
    await fetch(`http://127.0.0.1:${port}/bare/stream`, { signal: leave.signal });
    expect(await inHand()).toBe('1');
    expect(app.requests.shortInHand).toBe(0);
    leave.abort();
    await until(async () => (await inHand()) === '0');
  });

  it('has no HEAD for streams', async () => {
    expect((await app.fastify.inject({ method: 'HEAD', url: '/bare/stream' })).statusCode).toBe(405);
    expect((await app.fastify.inject({ method: 'HEAD', url: '/bare/address' })).statusCode).toBe(200);
  });

  it('states its limits to Node', () => {
    expect(app.server.keepAliveTimeout).toBeGreaterThan(60_000);
    expect(app.server.headersTimeout).toBe(20_000);
    expect(app.server.requestTimeout).toBe(60_000);
    expect(app.server.maxConnections).toBe(10_000);
  });

  it('closes connections beyond its limit and counts them', async () => {
    const small = await startApp({ module: undefined, maxConnections: 1 });
    const smallPort = await small.app.listen({ host: '127.0.0.1', port: 0 });
    const leave = new AbortController();
    await fetch(`http://127.0.0.1:${smallPort}/bare/stream`, { signal: leave.signal });
    expect(await exchange(smallPort).catch(() => '')).toBe('');
    await until(async () => (await small.metrics.expose()).includes('sluice_http_connections_dropped_total 1'));
    leave.abort();
    await small.app.close();
  });

  it('closes twice, and rejects when the module cannot be made', async () => {
    const again = await startApp();
    await again.app.close();
    await again.app.close();

    @Module({
      providers: [
        {
          provide: 'broken',
          useFactory: () => {
            throw new SluiceError('configuration', 'no engine');
          },
        },
      ],
    })
    class BrokenModule {}
    await expect(startApp({ module: BrokenModule })).rejects.toThrow('no engine');
  });
});
