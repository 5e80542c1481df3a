import { exchange } from '../test/harness';
import { startApp } from '../test/http-fixture';
import { SECURITY_HEADERS, type HttpApp } from './index';

/** A second request, which must never be taken for one. */
const SMUGGLED = 'GET /bare/smuggled HTTP/1.1\r\nHost: x\r\n\r\n';

describe('bytes that two servers might read in two ways', () => {
  let app: HttpApp;
  let port: number;
  const seen: string[] = [];

  beforeAll(async () => {
    ({ app } = await startApp({
      routes: ({ fastify }) => {
        fastify.addHook('onRequest', (request, _reply, done) => {
          seen.push(request.url);
          done();
        });
        fastify.get('/bare/smuggled', () => 'smuggled');
      },
    }));
    port = await app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterAll(() => app.close());

  const post = (...lines: readonly string[]) =>
    ['POST /bare/echo HTTP/1.1', 'Host: x', 'Content-Type: application/json', ...lines].join('\r\n');

  it.each<[string, string]>([
    ['two kinds of length', `${post('Content-Length: 6', 'Transfer-Encoding: chunked')}\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['two lengths', `${post('Content-Length: 2', `Content-Length: ${SMUGGLED.length}`)}\r\n\r\n{}${SMUGGLED}`],
    ['a list of lengths', `${post('Content-Length: 2, 2')}\r\n\r\n{}${SMUGGLED}`],
    ['a length with a sign', `${post('Content-Length: +2')}\r\n\r\n{}${SMUGGLED}`],
    ['a length that is none', `${post('Content-Length: two')}\r\n\r\n{}${SMUGGLED}`],
    ['chunks that are not last', `${post('Transfer-Encoding: chunked, identity')}\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['chunks with a space before the colon', `${post('Transfer-Encoding : chunked')}\r\n\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk that is no number', `${post('Transfer-Encoding: chunked')}\r\n\r\nxyz\r\n{}\r\n0\r\n\r\n${SMUGGLED}`],
    ['a chunk with a bare line feed', `${post('Transfer-Encoding: chunked')}\r\n\r\n2\n{}\r\n0\r\n\r\n${SMUGGLED}`],
    ['a folded header', `${post('X-Folded: a', ' b: c', 'Content-Length: 2')}\r\n\r\n{}${SMUGGLED}`],
    ['a null byte in a header', `${post('X-Null: a\0b', 'Content-Length: 2')}\r\n\r\n{}${SMUGGLED}`],
    ['a head of 17 KiB', `${post(`X-Large: ${'x'.repeat(17_000)}`, 'Content-Length: 2')}\r\n\r\n{}${SMUGGLED}`],
    ['another protocol', 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n'],
  ])('are refused with the connection: %s', async (_what, bytes) => {
    seen.length = 0;
    const answer = await exchange(port, bytes);
    expect(answer).toMatch(/^HTTP\/1\.1 4(?:00|31) /);
    expect(answer.match(/HTTP\/1\.1 /g)).toHaveLength(1);
    expect(seen).not.toContain('/bare/smuggled');
    const lines = answer.toLowerCase().split('\r\n');
    for (const [name, value] of Object.entries(SECURITY_HEADERS)) expect(lines).toContain(`${name}: ${value}`);
    expect(lines).toContain('connection: close');
    expect(lines.some((line) => line.startsWith('server:'))).toBe(false);
  });

  it('would be seen if it were taken for one', async () => {
    const head = post('Content-Length: 2');
    const last = SMUGGLED.replace('\r\n\r\n', '\r\nConnection: close\r\n\r\n');
    expect(await exchange(port, `${head}\r\n\r\n{}${last}`)).toContain('smuggled');
  });
});

describe('every answer', () => {
  it.each(['/bare/code/forbidden', '/nowhere', '/bare/unknown', '/%zz', '/bare/address'])(
    'tells browsers to do nothing with it, and no one what serves it: %s',
    async (url) => {
      const { app } = await startApp();
      const { headers } = await app.fastify.inject(url);
      expect(headers).toMatchObject(SECURITY_HEADERS);
      expect(headers).not.toHaveProperty('server');
      expect(headers).not.toHaveProperty('x-powered-by');
      // Nobody is told to insist on TLS by a server that does not speak it.
      expect(headers).not.toHaveProperty('strict-transport-security');
      await app.close();
    },
  );
});
