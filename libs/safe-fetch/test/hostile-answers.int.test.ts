import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import { brotliCompressSync, gzipSync } from 'node:zlib';
import { createSafeFetch, type SafeFetchRequest } from '../src/index';
import { drip, fetchWith, head, MIB, pour, started } from './hostile';
import { closeWorlds, codeOf, failureOf, serveHttp, serveTcp, until } from './world';

afterEach(closeWorlds);

describe('a hostile answer costs bounded time and memory (G9)', () => {
  const cases: readonly [what: string, serve: (request: IncomingMessage, response: ServerResponse) => void][] = [
    ['an endless body', (_request, response) => pour(response)],
    ['100 MB', (_request, response) => pour(response, 100 * MIB)],
    [
      '100 MB that are announced',
      (_request, response) => pour(response.writeHead(200, { 'content-length': 100 * MIB }), 100 * MIB),
    ],
    ['an endless error page', (_request, response) => pour(response.writeHead(500))],
    ['a bomb of gzip', (_request, response) => response.writeHead(200, { 'content-encoding': 'gzip' }).end(bombs.gzip)],
    ['a bomb of brotli', (_request, response) => response.writeHead(200, { 'content-encoding': 'br' }).end(bombs.br)],
    ['endless headers', (_request, { socket }) => socket?.write(`HTTP/1.1 200 OK\r\n${'x: y\r\n'.repeat(50_000)}`)],
    ['a giant header', (_request, { socket }) => socket?.write(`HTTP/1.1 200 OK\r\nx: ${'y'.repeat(100_000)}\r\n\r\n`)],
  ];
  const bombs = { gzip: gzipSync(Buffer.alloc(16 * MIB)), br: brotliCompressSync(Buffer.alloc(16 * MIB)) };

  it.each(cases)('%s', async (_what, listener) => {
    const server = await serveHttp(listener);
    expect(await codeOf(fetchWith()(server.origin))).toBe('too_large');
    await until(() => server.open() === 0);
  });

  it('many of them at once', async () => {
    const server = await serveHttp((_request, response) => pour(response));
    const safeFetch = fetchWith({ maxConcurrent: 20, maxConcurrentPerHost: 20 });
    await codeOf(safeFetch(server.origin));
    const before = process.memoryUsage.rss();
    const codes = await Promise.all(Array.from({ length: 40 }, () => codeOf(safeFetch(server.origin))));
    const grownMib = (process.memoryUsage.rss() - before) / MIB;
    expect(new Set(codes)).toEqual(new Set(['too_large']));
    // 40 bodies without an end; 20 at a time of up to 2 MiB, and what the collector has not seen yet.
    expect(grownMib).toBeLessThan(400);
  });

  it('a body in the smallest of chunks', async () => {
    const server = await serveTcp((socket) => {
      socket.write(head('transfer-encoding: chunked'));
      const chunks = '1\r\nx\r\n'.repeat(10_000);
      const more = (): void => {
        while (!socket.destroyed && socket.write(chunks));
      };
      socket.on('drain', more);
      more();
    });
    const before = process.memoryUsage.rss();
    expect(await codeOf(fetchWith({ maxBytes: 200_000, timeoutMs: 60_000 })(server.origin))).toBe('too_large');
    expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(400);
  });
});

describe('a slow answer', () => {
  const slow: readonly [what: string, onConnection: (socket: Socket) => void][] = [
    ['nothing at all', () => undefined],
    ['a head that drips', (socket) => drip(started(socket, 'HTTP/1.1 200 '), 'O')],
    ['headers that drip', (socket) => drip(started(socket, 'HTTP/1.1 200 OK\r\n'), 'x: y\r\n')],
    ['a body that drips', (socket) => drip(started(socket, head('content-length: 9999')), 'x')],
    ['chunks that drip', (socket) => drip(started(socket, head('transfer-encoding: chunked')), '1\r\nx\r\n')],
    ['a body shorter than announced', (socket) => socket.write(`${head('content-length: 9')}abc`)],
    ['a preliminary answer again and again', (socket) => drip(socket, 'HTTP/1.1 103 Early Hints\r\n\r\n')],
  ];

  it.each(slow)('is given up at the deadline: %s', async (_what, onConnection) => {
    const server = await serveTcp(onConnection);
    const failure = await failureOf(fetchWith({ timeoutMs: 250 })(server.origin));
    expect([failure.code, failure.retryable]).toEqual(['timeout', true]);
    await until(() => server.open() === 0);
  });

  it.each([slow[0], slow[5]])('is given up when nothing comes any more: %s', async (_what, onConnection) => {
    const server = await serveTcp(onConnection ?? (() => undefined));
    const failure = await failureOf(fetchWith()(server.origin, { idleTimeoutMs: 100 }));
    expect([failure.code, failure.message]).toEqual(['timeout', 'Nothing came for 100 ms']);
  });

  it('counts redirects and name servers into one deadline', async () => {
    let hops = 0;
    const server = await serveHttp((_request, response) => {
      setTimeout(() => response.writeHead(302, { location: `/${(hops += 1)}` }).end(), 60);
    });
    expect(await codeOf(fetchWith({ timeoutMs: 300, maxRedirects: 1_000 })(server.origin))).toBe('timeout');
    expect(hops).toBeLessThan(10);
    const lost = createSafeFetch({
      userAgent: 'x',
      limits: { timeoutMs: 100 },
      resolve: () => new Promise(() => undefined),
    });
    expect(await codeOf(lost('http://example.com/'))).toBe('timeout');
  });
});

describe('a broken answer is unreachable', () => {
  const broken: readonly [what: string, onConnection: (socket: Socket) => void][] = [
    ['a closed connection', (socket) => socket.end()],
    ['a reset', (socket) => socket.resetAndDestroy()],
    [
      'a reset within the body',
      (socket) => socket.write(`${head('content-length: 99')}abc`, () => socket.resetAndDestroy()),
    ],
    ['an end within the body', (socket) => socket.end(`${head('content-length: 99')}abc`)],
    ['an end within the chunks', (socket) => socket.end(`${head('transfer-encoding: chunked')}3\r\nabc\r\n`)],
    ['what is not HTTP', (socket) => socket.end('220 mail.example.com ESMTP\r\n')],
    [
      'another protocol',
      (socket) => socket.end('HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n'),
    ],
    ['two lengths', (socket) => socket.end(`${head('content-length: 3', 'content-length: 4')}abcd`)],
    [
      'a length and chunks',
      (socket) => socket.end(`${head('content-length: 3', 'transfer-encoding: chunked')}0\r\n\r\n`),
    ],
    ['a negative length', (socket) => socket.end(`${head('content-length: -3')}abc`)],
    ['broken gzip', (socket) => socket.end(`${head('content-encoding: gzip')}no gzip`)],
    [
      'gzip without its end',
      (socket) =>
        socket.end(Buffer.concat([Buffer.from(head('content-encoding: gzip')), gzipSync('abc').subarray(0, 12)])),
    ],
    ['an unknown encoding', (socket) => socket.end(`${head('content-encoding: zstd')}abc`)],
    ['encodings in each other', (socket) => socket.end(`${head('content-encoding: gzip, gzip')}abc`)],
  ];

  it.each(broken)('%s', async (_what, onConnection) => {
    const server = await serveTcp((socket) => socket.once('data', () => onConnection(socket)));
    const failure = await failureOf(fetchWith()(server.origin));
    expect([failure.code, failure.retryable]).toEqual(['unreachable', true]);
    expect(failure.message).not.toMatch(/127|\d{4}/);
    await until(() => server.open() === 0);
  });

  it('an unknown encoding hides the body, and not the head', async () => {
    const server = await serveTcp((socket) =>
      socket.once('data', () => socket.end(`${head('content-encoding: zstd')}abc`)),
    );
    const stream = await fetchWith().open(server.origin);
    expect(stream.status).toBe(200);
    const read = async () => {
      for await (const chunk of stream.body) expect(chunk).toBeUndefined();
    };
    await expect(read()).rejects.toMatchObject({ code: 'unreachable' });
    await until(() => server.open() === 0);
  });

  it('nobody at the port; the message names no address', async () => {
    const server = await serveTcp(() => undefined);
    await closeWorlds();
    expect((await failureOf(fetchWith()(server.origin))).message).toBe('No answer could be read (ECONNREFUSED)');
  });

  it('a request that cannot be sent', async () => {
    const server = await serveTcp(() => undefined);
    const request: SafeFetchRequest = { headers: { 'x-session': 'a\r\nhost: b' } };
    expect(await codeOf(fetchWith({ maxConcurrent: 1 })(server.origin, request))).toBe('unreachable');
    expect(server.connections()).toBe(0);
  });

  it('a body longer than announced is cut there', async () => {
    const server = await serveTcp((socket) => socket.end(`${head('content-length: 3')}abcdef`));
    expect(Buffer.from((await fetchWith()(server.origin)).body).toString()).toBe('abc');
  });
});
