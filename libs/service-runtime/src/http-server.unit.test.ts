import {
  BadRequestException,
  Body,
  Controller,
  ForbiddenException,
  Get,
  Module,
  NotFoundException,
  Param,
  Post,
} from '@nestjs/common';
import { ERROR_TABLE, SluiceError, type ErrorCode } from '@sluice/event-log';
import { exchange, keptLogger, newMetrics, until } from '../test/harness';
import { createHttpApp, type HttpApp, type HttpAppOptions } from './index';

const NEST_ERRORS: Readonly<Record<string, () => Error>> = {
  sluice: () => new SluiceError('conflict', 'taken', { where: 'id' }),
  bad: () => new BadRequestException('bad\r\nidea'),
  forbidden: () => new ForbiddenException('not yours'),
  missing: () => new NotFoundException('no such thing'),
  unknown: () => new Error('password=hunter2'),
};

@Controller('nest')
class NestController {
  @Get('fail/:kind')
  fail(@Param('kind') kind: string): never {
    throw NEST_ERRORS[kind]?.() ?? new Error('no such kind');
  }

  @Post('echo')
  echo(@Body() body: unknown): unknown {
    return body;
  }
}

@Module({ controllers: [NestController] })
class NestModule {}

const LIMIT_BYTES = 1_000;

async function startApp(options: Partial<HttpAppOptions> = {}) {
  const kept = keptLogger();
  const metrics = newMetrics();
  const app = await createHttpApp({
    module: NestModule,
    logger: kept.logger,
    metrics,
    bodyLimitBytes: LIMIT_BYTES,
    ...options,
    routes: (http) => {
      http.fastify.post('/bare/echo', (request) => request.body);
      http.fastify.get<{ Params: { code: ErrorCode } }>('/bare/code/:code', (request) => {
        throw new SluiceError(request.params.code, `is ${request.params.code}`, { retryAfterMs: 1_200 });
      });
      http.fastify.get('/bare/unknown', async () => Promise.reject(new Error('password=hunter2')));
      http.fastify.get('/bare/string', () => {
        // What is thrown need not be an Error.
        throw Object.assign(Object.create(null) as object, { statusCode: 'x' });
      });
      http.fastify.get('/bare/late', async (request, reply) => {
        reply.raw.writeHead(200, { 'content-length': '10' });
        reply.raw.write('half');
        await Promise.resolve();
        throw new Error('late');
      });
      http.fastify.get('/bare/stream', { config: { longLived: true } }, async (request, reply) => {
        reply.hijack();
        reply.raw.writeHead(200).flushHeaders();
      });
      http.fastify.get('/bare/address', (request) => ({ ip: request.ip }));
      options.routes?.(http);
    },
  });
  return { app, metrics, ...kept };
}

describe('HTTP app', () => {
  let running: Awaited<ReturnType<typeof startApp>>;
  let app: HttpApp;
  let port: number;

  beforeAll(async () => {
    running = await startApp();
    app = running.app;
    port = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => app.close());

  const post = (url: string, payload: string | Buffer, contentType: string | undefined = 'application/json') =>
    app.fastify.inject({ method: 'POST', url, payload, headers: contentType ? { 'content-type': contentType } : {} });

  describe.each(['/bare/echo', '/nest/echo'])('bodies at %s', (url) => {
    it.each(['application/json', 'application/cloudevents+json; charset=utf-8', 'application/cloudevents-batch+json'])(
      'takes %s',
      async (contentType) => {
        const answer = await post(url, '{"a":[1,"é"]}', contentType);
        expect([200, 201]).toContain(answer.statusCode);
        expect(answer.json()).toEqual({ a: [1, 'é'] });
      },
    );

    it.each<[string, string | Buffer, string | undefined, ErrorCode]>([
      ['malformed', '{"a":', 'application/json', 'invalid_json'],
      ['empty', '', 'application/json', 'invalid_json'],
      ['__proto__', '{"__proto__":{"admin":true}}', 'application/json', 'invalid_json'],
      ['escaped __proto__', '{"a":{"\\u005f_proto__":{}}}', 'application/cloudevents+json', 'invalid_json'],
      ['constructor', '{"constructor":{"prototype":{"x":1}}}', 'application/json', 'invalid_json'],
      ['bad UTF-8', Buffer.from([0x22, 0xff, 0xfe, 0x22]), 'application/json', 'invalid_json'],
      ['too large', JSON.stringify('x'.repeat(LIMIT_BYTES)), 'application/json', 'payload_too_large'],
      ['text', 'hello', 'text/plain', 'unsupported_media_type'],
      ['form', 'a=b', 'application/x-www-form-urlencoded', 'unsupported_media_type'],
      ['near miss', '{}', 'application/jsonp', 'unsupported_media_type'],
      ['nonsense type', '{}', 'application/json garbage', 'unsupported_media_type'],
      ['no type', '{}', '', 'unsupported_media_type'],
    ])('refuses %s', async (_name, payload, contentType, code) => {
      const answer = await post(url, payload, contentType);
      const { error, requestId, ...rest } = answer.json<Record<string, string>>();
      expect(rest).toEqual({ success: false, code });
      expect(answer.statusCode).toBe(ERROR_TABLE[code].status);
      expect(error).toMatch(/^\S.+$/);
      expect(requestId).toBe(answer.headers['x-request-id']);
      expect(answer.headers['content-type']).toBe('application/json; charset=utf-8');
      expect(({} as Record<string, unknown>)['admin']).toBeUndefined();
    });
  });

  it.each(Object.keys(ERROR_TABLE) as ErrorCode[])('answers %s with its status', async (code) => {
    const answer = await app.fastify.inject(`/bare/code/${code}`);
    expect(answer.statusCode).toBe(ERROR_TABLE[code].status);
    expect(answer.json()).toMatchObject({ success: false, code, error: `is ${code}` });
    expect(answer.headers['retry-after']).toBe('2');
  });

  it.each([
    ['sluice', 409, { code: 'conflict', error: 'taken', where: 'id' }],
    ['bad', 400, { code: 'invalid_request', error: 'bad idea' }],
    ['forbidden', 403, { code: 'forbidden', error: 'not yours' }],
    ['missing', 404, { code: 'not_found', error: 'no such thing' }],
    ['unknown', 500, { code: 'internal', error: 'Internal error' }],
  ])('answers what a Nest handler throws: %s', async (kind, status, body) => {
    const answer = await app.fastify.inject(`/nest/fail/${kind}`);
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toEqual({ success: false, ...body, requestId: answer.headers['x-request-id'] });
  });

  it.each(['/bare/unknown', '/bare/string'])('keeps the details of %s to the log', async (url) => {
    const answer = await app.fastify.inject({ url, headers: { 'x-request-id': 'find-me' } });
    expect(answer.statusCode).toBe(500);
    expect(answer.body).toBe('{"success":false,"error":"Internal error","code":"internal","requestId":"find-me"}');
    const line = running.lines.filter((one) => one['message'] === 'request error').at(-1);
    expect(line).toMatchObject({ level: 'error', requestId: 'find-me', method: 'GET', route: url, code: 'internal' });
    expect(line?.['error']).toBeDefined();
  });

  it.each([
    ['GET', '/nope?token=x', 404, 'not_found'],
    ['POST', '/nope', 404, 'not_found'],
    ['DELETE', '/bare/echo', 405, 'method_not_allowed'],
    ['PUT', '/nest/echo', 405, 'method_not_allowed'],
    ['GET', '/bare/%zz', 400, 'invalid_request'],
    ['GET', `/bare/code/${'x'.repeat(600)}`, 400, 'invalid_request'],
  ] as const)('answers %s %s', async (method, url, status, code) => {
    const answer = await app.fastify.inject({ method, url });
    expect(answer.statusCode).toBe(status);
    expect(answer.json()).toMatchObject({ success: false, code, requestId: answer.headers['x-request-id'] });
    expect(answer.headers['x-content-type-options']).toBe('nosniff');
    expect(answer.headers['allow']).toBe(status === 405 ? 'POST' : undefined);
  });

  it('sets the common headers and keeps a plain request id', async () => {
    const answer = await app.fastify.inject({ url: '/bare/address', headers: { 'x-request-id': 'abc.1' } });
    expect(answer.headers).toMatchObject({
      'x-request-id': 'abc.1',
      'x-content-type-options': 'nosniff',
      'cache-control': 'no-store',
    });
  });

  it.each(['a b', 'x'.repeat(129), 'id\tset-cookie: a=b', '"><script>'])(
    'never sends back the request id %j',
    async (given) => {
      const head = `GET /bare/address HTTP/1.1\r\nHost: x\r\nConnection: close\r\nX-Request-Id: ${given}\r\n\r\n`;
      const answer = await exchange(port, head);
      expect(answer).toMatch(/\r\nx-request-id: [0-9a-f]{16}-[0-9a-z]+\r\n/i);
      expect(answer).not.toContain(given);
    },
  );

  it('does not believe X-Forwarded-For unless told to', async () => {
    const headers = { 'x-forwarded-for': '6.6.6.6, 9.9.9.9' };
    const plain = await app.fastify.inject({ url: '/bare/address', headers });
    expect(plain.json()).toEqual({ ip: '127.0.0.1' });
    const behindOne = await startApp({ trustProxy: 1 });
    const seen = await behindOne.app.fastify.inject({ url: '/bare/address', headers });
    expect(seen.json()).toEqual({ ip: '9.9.9.9' });
    await behindOne.app.close();
  });

  it('lets a caller that sends too much read the answer', async () => {
    const size = 4_000_000;
    const head = `POST /bare/echo HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${size}\r\n\r\n`;
    const answer = await exchange(port, head, Buffer.alloc(size, 0x20));
    expect(answer).toMatch(/^HTTP\/1\.1 413 /);
    expect(answer).toContain('"code":"payload_too_large"');
  });

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
