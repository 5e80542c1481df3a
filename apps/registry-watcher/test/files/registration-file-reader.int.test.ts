import { createHash } from 'node:crypto';
import type { RequestListener, ServerResponse } from 'node:http';
import { createServer as createTcpServer } from 'node:net';
import { gzipSync } from 'node:zlib';
import type { FileErrorCode } from '@sluice/agent-registry';
import { closeServers, failure, FILE, listen, MIB, never, NOW, pour, read, readerOf, serve, V0 } from './world';

afterEach(closeServers);

describe('files that stand in their URI', () => {
  it.each([
    `data:application/json;base64,${Buffer.from(FILE).toString('base64')}`,
    `data:application/json,${encodeURIComponent(FILE)}`,
    ` data:application/json;utf8,${FILE} `,
  ])('reads %s', async (uri) => {
    const reading = await read(readerOf([]), uri);
    expect(reading).toMatchObject({
      status: 'read',
      readAt: NOW,
      file: { name: 'Ann', mcpEndpoint: 'https://ann.test/mcp' },
    });
    expect(reading).not.toHaveProperty('contentHash');
  });

  it.each([
    ['not_json', 'data:application/json,{'],
    ['not_an_object', 'data:,[]'],
    ['too_deep', `data:,${'['.repeat(100_000)}`],
    ['too_large', `data:,${'x'.repeat(4 * MIB)}`],
    ['unsupported_uri', 'data:application/json'],
  ] as const)('fails with %s', async (code, uri) => {
    expect(await read(readerOf([]), uri)).toMatchObject(failure(code, false));
  });
});

describe('files behind http', () => {
  it('are read, with the hash of their bytes', async () => {
    const seen: unknown[] = [];
    const server = await serve((request, response) => {
      seen.push(request.headers.accept, request.headers['user-agent']);
      response.writeHead(request.url === '/old' ? 301 : 200, { location: '/new' }).end(FILE);
    });
    const contentHash = `0x${createHash('sha256').update(FILE).digest('hex')}`;
    const reading = await read(readerOf([server.origin]), `${server.origin}/old`);
    expect(reading).toMatchObject({ status: 'read', contentHash, file: { name: 'Ann' }, readAt: NOW });
    expect(seen.slice(2)).toEqual(['application/json, */*;q=0.5', 'sluice-test']);
  });

  const cases: readonly [code: FileErrorCode, retryable: boolean, what: string, listener: RequestListener][] = [
    ['http_status', false, '404', (_request, response) => response.writeHead(404).end()],
    ['http_status', false, '304', (_request, response) => response.writeHead(304).end()],
    ['http_status', true, '429', (_request, response) => response.writeHead(429).end()],
    ['http_status', true, '503', (_request, response) => response.writeHead(503).end()],
    [
      'http_status',
      true,
      'an endless error page',
      (_request, response) => pour(response.writeHead(500), 'x'.repeat(65_536)),
    ],
    ['not_json', false, 'a page', (_request, response) => response.end('<html>')],
    ['not_json', false, 'nothing', (_request, response) => response.end()],
    ['not_json', false, 'bytes', (_request, response) => response.end(Buffer.from([0xff, 0xfe, 0x00, 0x01]))],
    ['not_an_object', false, 'a number', (_request, response) => response.end('12')],
    ['invalid_file', false, 'wrong types', (_request, response) => response.end('{"name":{},"services":7}')],
    ['too_deep', false, 'a deep nest', (_request, response) => response.end('{"a":['.repeat(150_000))],
    ['too_large', false, 'an endless file', (_request, response) => pour(response, '[1,2,3,4,5,6,7,8'.repeat(4_096))],
    [
      'too_large',
      false,
      '100 MB',
      (_request, response) => response.writeHead(200, { 'content-length': 100 * MIB }).write('{'),
    ],
    [
      'too_large',
      false,
      'a bomb',
      (_request, response) =>
        response.writeHead(200, { 'content-encoding': 'gzip' }).end(gzipSync(Buffer.alloc(50 * MIB))),
    ],
    ['too_many_redirects', false, 'a loop', (_request, response) => response.writeHead(302, { location: '/' }).end()],
    [
      'refused_address',
      false,
      'a way to private addresses',
      (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
    ],
    [
      'unsupported_uri',
      false,
      'a way to files',
      (_request, response) => response.writeHead(302, { location: 'file:///etc/passwd' }).end(),
    ],
    ['unreachable', true, 'a reset', (_request, response) => response.destroy()],
  ];

  it.each(cases)('fail with %s (retryable: %s): %s', async (code, retryable, _what, listener) => {
    const server = await serve(listener);
    expect(await read(readerOf([server.origin]), `${server.origin}/`)).toMatchObject(failure(code, retryable));
  });

  it('fail at the deadline, however slowly they come', async () => {
    const server = await listen(
      createTcpServer((socket) => socket.write('HTTP/1.1 200 OK\r\ncontent-length: 99\r\n\r\n{')),
    );
    const reader = readerOf([server.origin], { timeoutMs: 200 });
    expect(await read(reader, server.origin)).toMatchObject(failure('timeout', true));
  });

  it('are refused where their address is private, by name and by number', async () => {
    const server = await serve((_request, response) => response.end(FILE));
    const reader = readerOf(['http://127.0.0.1:1'], { resolve: () => Promise.resolve(['93.184.216.34', '10.0.0.1']) });
    for (const uri of [
      server.origin,
      'http://2130706433/',
      'http://[::1]/',
      'https://a.test/agent.json',
      'http://localhost/',
    ]) {
      expect(await read(reader, uri)).toMatchObject(failure('refused_address', false));
    }
    expect(server.connections()).toBe(0);
  });

  it.each([
    '',
    'agent.json',
    'ftp://a.test/',
    'file:///etc/passwd',
    'ipns://a.test',
    'ar://x',
    'http://',
    'http://u:p@a.test/',
    '\u0000',
    '\ud800',
  ])('are not read from %j', async (uri) => {
    expect(await read(readerOf([]), uri)).toMatchObject(failure('unsupported_uri', false));
  });

  it('are not read from URIs without end', async () => {
    expect(await read(readerOf([]), `https://a.test/${'a'.repeat(2_048)}`)).toMatchObject(
      failure('uri_too_long', false),
    );
  });
});

describe('reading many files', () => {
  it('costs bounded memory, whatever they are (G9)', async () => {
    const server = await serve((_request, response) => pour(response, `[${'1,'.repeat(32_768)}`));
    const reader = readerOf([server.origin], { maxConcurrentPerHost: 16, maxWaitingPerHost: 40 });
    await read(reader, server.origin);
    const before = process.memoryUsage.rss();
    const readings = await Promise.all(Array.from({ length: 40 }, () => read(reader, server.origin)));
    expect(new Set(readings.map((reading) => reading.status === 'failed' && reading.error.code))).toEqual(
      new Set(['too_large']),
    );
    expect((process.memoryUsage.rss() - before) / MIB).toBeLessThan(400);
  });

  it('is bounded, and says when it is busy (G9)', async () => {
    const held: ServerResponse[] = [];
    let running = 0;
    let most = 0;
    const server = await serve((_request, response) => {
      most = Math.max(most, (running += 1));
      held.push(response);
    });
    const reader = readerOf([server.origin], { maxConcurrent: 4, maxConcurrentPerHost: 3, maxWaiting: 5 });
    const readings = Array.from({ length: 8 }, (_, index) => reader.read(`${server.origin}/${index}`, never));
    expect(await read(reader, server.origin)).toMatchObject(failure('busy', true));
    for (let answered = 0; answered < 8; answered += 1) {
      while (held.length < Math.min(3, 8 - answered)) {
        await new Promise((resolve) => setImmediate(resolve));
      }
      running -= 1;
      held.shift()?.end(FILE);
    }
    expect((await Promise.all(readings)).map(({ status }) => status)).toEqual(Array(8).fill('read'));
    expect(most).toBe(3);
  });

  it('is busy, not slow, for who waited in vain', async () => {
    const server = await serve(() => undefined);
    const reader = readerOf([server.origin], { maxConcurrent: 1, timeoutMs: 300 });
    const [first, second] = await Promise.all([read(reader, server.origin), read(reader, server.origin)]);
    expect(first).toMatchObject(failure('timeout', true));
    expect(second).toMatchObject(failure('busy', true));
  });

  it('ends at once when it is given up', async () => {
    const server = await serve(() => undefined);
    const reader = readerOf([server.origin], {
      ipfsGateways: [`${server.origin}/ipfs/`],
      maxConcurrent: 1,
      timeoutMs: 60_000,
    });
    const abort = new AbortController();
    const readings = [server.origin, V0, server.origin].map((uri) => reader.read(uri, abort.signal));
    while (server.connections() === 0) {
      await new Promise((resolve) => setImmediate(resolve));
    }
    abort.abort();
    for (const reading of [...readings, reader.read(server.origin, abort.signal)]) {
      await expect(reading).rejects.toBe(abort.signal.reason);
    }
  });
});
