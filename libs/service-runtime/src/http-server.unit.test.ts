import { ERROR_TABLE, type ErrorCode } from '@sluice/event-log';
import { exchange } from '../test/harness';
import { LIMIT_BYTES, startApp } from '../test/http-fixture';
import type { HttpApp } from './index';

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

  it.each(['/bare/unknown', '/bare/odd'])('keeps the details of %s to the log', async (url) => {
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

  it.each(['//bare/echo', '/nest//echo'])('takes %s for the path without the doubled slash', async (url) => {
    const answer = await post(url, '{"a":1}');
    expect(answer.json()).toEqual({ a: 1 });
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
});
