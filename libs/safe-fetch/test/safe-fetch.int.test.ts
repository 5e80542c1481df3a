import { getEventListeners, getMaxListeners } from 'node:events';
import type { ServerResponse } from 'node:http';
import { brotliCompressSync, deflateSync, gzipSync } from 'node:zlib';
import type { SafeFetchRequest } from '../src/index';
import { fetchWith, pour } from './hostile';
import { closeWorlds, codeOf, serveHttp, until } from './world';

afterEach(closeWorlds);

describe('an answer', () => {
  it('comes with status, headers, body and the place it came from', async () => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(404, { 'X-Many': ['a', 'b'], 'content-type': 'text/plain' }).end('nothing here');
    });
    const { status, headers, body, finalUrl } = await fetchWith()(`${server.origin}/a?b=c#d`);
    expect([status, headers.get('x-many'), headers.get('content-type')]).toEqual([404, 'a, b', 'text/plain']);
    expect(Buffer.from(body).toString()).toBe('nothing here');
    expect(finalUrl).toBe(`${server.origin}/a?b=c`);
    await until(() => server.open() === 0);
  });

  it.each([0, 1, 16_384, 16_385, 99_999, 100_000])('of %d bytes arrives whole', async (length) => {
    const server = await serveHttp((_request, response) => response.end(Buffer.alloc(length, 'y')));
    const { body } = await fetchWith({ maxBytes: 100_000 })(server.origin);
    expect(Buffer.from(body).equals(Buffer.alloc(length, 'y'))).toBe(true);
  });

  it.each([
    ['gzip', gzipSync],
    ['X-GZIP', gzipSync],
    ['deflate', deflateSync],
    ['br', brotliCompressSync],
    ['identity', (bytes: Buffer) => bytes],
  ])('that is compressed by %s, unasked, is read', async (encoding, compress) => {
    const server = await serveHttp((_request, response) => {
      response.writeHead(200, { 'content-encoding': encoding }).end(compress(Buffer.from('words')));
    });
    expect(Buffer.from((await fetchWith()(server.origin)).body).toString()).toBe('words');
  });

  it('to HEAD, and one without a body, are empty', async () => {
    const server = await serveHttp((request, response) => {
      response.writeHead(request.method === 'HEAD' ? 200 : 204, {
        'content-length': 999_999_999,
        'content-encoding': 'gzip',
      });
      response.end();
    });
    expect((await fetchWith()(server.origin, { method: 'HEAD' })).body).toHaveLength(0);
    const deleted = await fetchWith({ maxBytes: 1e9 })(server.origin, { method: 'DELETE' });
    expect([deleted.status, deleted.body.length]).toEqual([204, 0]);
  });
});

describe('concurrency', () => {
  it('is bounded in all and for one host, and given back after each outcome', async () => {
    const held: ServerResponse[] = [];
    let most = 0;
    const server = await serveHttp((_request, response) => {
      held.push(response);
      most = Math.max(most, server.open());
    });
    const safeFetch = fetchWith({ maxConcurrent: 3, maxConcurrentPerHost: 2, maxWaiting: 8 });
    const fetches = Array.from({ length: 10 }, () => safeFetch(server.origin));
    expect(await codeOf(safeFetch(server.origin))).toBe('busy');
    for (let answered = 0; answered < 10; answered += 1) {
      await until(() => held.length > 0);
      held.shift()?.end('x');
    }
    await Promise.all(fetches);
    expect(most).toBe(2);
    expect(server.connections()).toBe(10);
  });

  it('lets go of who is aborted: waiting, connecting, reading', async () => {
    const server = await serveHttp((_request, response) => void response.write('x'));
    const safeFetch = fetchWith({ maxConcurrent: 1 });
    const abort = new AbortController();
    const fetches = [1, 2, 3].map(() => codeOf(safeFetch(server.origin, {}, abort.signal)));
    await until(() => server.connections() === 1);
    abort.abort();
    expect(await Promise.all(fetches)).toEqual(['aborted', 'aborted', 'aborted']);
    expect(await codeOf(safeFetch(server.origin, {}, abort.signal))).toBe('aborted');
    await until(() => server.open() === 0);
    const stream = await safeFetch.open(server.origin);
    stream.close();
  });
});

describe('one signal for many fetches', () => {
  it('is let go of at their ends, and may have many listeners', async () => {
    const server = await serveHttp((_request, response) => response.end('x'));
    const { signal } = new AbortController();
    const safeFetch = fetchWith({ maxConcurrent: 15, maxConcurrentPerHost: 15 });
    await Promise.all(Array.from({ length: 40 }, () => safeFetch(server.origin, {}, signal)));
    expect(getEventListeners(signal, 'abort')).toEqual([]);
    // Node warns of more than this.
    expect(getMaxListeners(signal)).toBeGreaterThan(1_000);
  });
});

describe('a stream', () => {
  it('gives what comes when it comes, and closes when it is left', async () => {
    let push: (text: string) => void = () => undefined;
    const server = await serveHttp((_request, response) => {
      response.writeHead(200, { 'content-type': 'text/event-stream' }).flushHeaders();
      push = (text) => response.write(text);
    });
    const safeFetch = fetchWith({ maxConcurrent: 1 });
    const stream = await safeFetch.open(server.origin);
    expect(stream.headers.get('content-type')).toBe('text/event-stream');
    const seen: string[] = [];
    push('data: 1\n\n');
    for await (const chunk of stream.body) {
      seen.push(Buffer.from(chunk).toString());
      if (seen.length === 2) {
        break;
      }
      push('data: 2\n\n');
    }
    expect(seen).toEqual(['data: 1\n\n', 'data: 2\n\n']);
    await until(() => server.open() === 0);
    (await safeFetch.open(server.origin)).close();
  });

  it('has the limits of its bytes and its time, also when nobody reads it', async () => {
    const server = await serveHttp((_request, response) => pour(response));
    const safeFetch = fetchWith({ maxConcurrent: 1 });
    const read = async (request: SafeFetchRequest): Promise<void> => {
      for await (const chunk of (await safeFetch.open(server.origin, request)).body) {
        expect(chunk.length).toBeGreaterThan(0);
      }
    };
    expect(await codeOf(read({ maxBytes: 100_000 }))).toBe('too_large');
    expect(await codeOf(read({ maxBytes: 1e12, timeoutMs: 200 }))).toBe('timeout');
    const forgotten = await safeFetch.open(server.origin, { timeoutMs: 2_500 });
    await until(() => server.open() === 0);
    // Its slot, the only one, is free again.
    (await safeFetch.open(server.origin)).close();
    const late = async (): Promise<void> => {
      for await (const chunk of forgotten.body) {
        expect(chunk).toBeDefined();
      }
    };
    expect(await codeOf(late())).toBe('timeout');
    const closed = await safeFetch.open(server.origin);
    closed.close();
    closed.close();
    await until(() => server.open() === 0);
  });
});
