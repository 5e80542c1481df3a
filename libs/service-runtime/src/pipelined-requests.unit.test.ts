import { connect, type Socket } from 'node:net';
import { gate, until } from '../test/harness';
import { startApp } from '../test/http-fixture';
import { build } from '../test/service-fixture';
import type { HttpApp } from './index';

const MAX_WAITING = 64;
const LARGE_BYTES = 16 * 1_048_576;

const get = (path: string) => `GET ${path} HTTP/1.1\r\nHost: x\r\n\r\n`;
const post = (path: string, body: string, length = body.length) =>
  `POST ${path} HTTP/1.1\r\nHost: x\r\nContent-Type: application/json\r\nContent-Length: ${length}\r\n\r\n${body}`;

describe('requests that are pipelined on one connection', () => {
  let held: ReturnType<typeof gate>;
  let begun: string[];
  let running: Awaited<ReturnType<typeof startApp>>;
  let port: number;
  const callers: Socket[] = [];

  beforeEach(async () => {
    held = gate();
    begun = [];
    running = await startApp({ bodyLimitBytes: 300_000, routes: (app) => addRoutes(app) });
    port = await running.app.listen({ host: '127.0.0.1', port: 0 });
  });
  afterEach(async () => {
    held.open();
    for (const caller of callers.splice(0)) caller.destroy();
    await running.app.close();
  });

  function addRoutes({ fastify }: HttpApp): void {
    fastify.get('/held', async () => {
      begun.push('held');
      await held.opened;
      return { held: true };
    });
    fastify.get('/large', () => {
      begun.push('large');
      return Buffer.alloc(LARGE_BYTES);
    });
    fastify.get<{ Params: { name: string } }>('/note/:name', async (request) => {
      begun.push(request.params.name);
      return { name: request.params.name };
    });
    fastify.post('/size', (request) => ({ size: JSON.stringify(request.body).length }));
    fastify.get('/feed', { config: { longLived: true } }, async (_request, reply) => {
      begun.push('feed');
      reply.hijack();
      reply.raw.writeHead(200).write('feed');
      void held.opened.then(() => reply.raw.end());
    });
  }

  /** A caller that sends all of this at once. */
  function call(...requests: string[]) {
    const socket = connect(port, '127.0.0.1', () => socket.write(requests.join('')));
    const caller = { socket, received: '', isClosed: false };
    socket.on('data', (chunk: Buffer) => (caller.received += chunk.toString('latin1')));
    socket.on('error', () => undefined);
    socket.on('close', () => (caller.isClosed = true));
    callers.push(socket);
    return caller;
  }

  const metric = async (name: string) => {
    const line = (await running.metrics.expose()).split('\n').find((each) => each.startsWith(`${name} `));
    return Number(line?.slice(name.length) ?? 0);
  };
  const inHand = async () => [
    await metric('sluice_http_requests_in_hand{kind="short"}'),
    await metric('sluice_http_requests_in_hand{kind="long"}'),
    await metric('sluice_http_body_bytes_in_hand'),
  ];
  const nothingIsInHand = () => until(async () => (await inHand()).every((count) => count === 0));
  const cut = (reason: string) => metric(`sluice_http_pipelines_cut_total{reason="${reason}"}`);
  const statuses = (text: string) => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);

  it.each(['/held', '/large'])('keeps nothing of what waits behind %s when the connection goes (G9)', async (front) => {
    const { socket } = call(get(front), get('/%zz'), get('/note/a'), get('/nowhere'), post('/size', '"', 60_000));
    socket.pause();
    await until(async () => (await inHand())[0] === 5);
    socket.resetAndDestroy();
    await nothingIsInHand();
    expect(begun).toEqual([front.slice(1)]);
    expect(await metric('sluice_http_request_duration_seconds_count{route="/size",method="POST",status="499"}')).toBe(
      1,
    );
  });

  it('answers those behind short answers, one after another and in order', async () => {
    const body = JSON.stringify('x'.repeat(250_000));
    const caller = call(get('/held'), get('/note/a'), post('/size', body), get('/%zz'), get('/note/b'));
    await until(async () => (await inHand())[0] === 3);
    expect([begun, caller.received, (await inHand())[2]]).toEqual([['held'], '', 0]);
    held.open();
    await until(() => caller.received.includes('"name":"b"'));
    expect(statuses(caller.received)).toEqual(['200', '200', '200', '400', '200']);
    expect(begun).toEqual(['held', 'a', 'b']);
    expect(caller.received).toMatch(/"held".*"name":"a".*"size":250002.*"invalid_request".*"name":"b"/s);
    await nothingIsInHand();
    caller.socket.write(get('/note/c'));
    await until(() => caller.received.includes('"name":"c"'));
    expect(await cut('too_many')).toBe(0);
  });

  it('lets a stream wait for its turn, and a request that follows its end go on', async () => {
    const caller = call(get('/note/a'), get('/feed'));
    await until(() => caller.received.includes('feed'));
    expect(begun).toEqual(['a', 'feed']);
    held.open();
    await until(() => caller.received.endsWith('0\r\n\r\n'));
    caller.socket.write(get('/note/b'));
    await until(() => caller.received.includes('"name":"b"'));
    expect(statuses(caller.received)).toEqual(['200', '200', '200']);
  });

  it.each([
    ['is sent', [get('/feed')]],
    ['waits itself', [get('/note/a'), get('/feed')]],
  ])('cuts who sends requests behind a stream that %s, and serves none of them', async (_name, front) => {
    const caller = call(...front, get('/note/behind').repeat(20), post('/size', '[]'));
    await until(() => caller.isClosed);
    await nothingIsInHand();
    expect(begun).not.toContain('behind');
    expect(await cut('behind_stream')).toBe(1);
    const lines = running.lines.filter(({ message }) => message === 'pipelined requests cut');
    expect(lines).toEqual([expect.objectContaining({ level: 'info', reason: 'behind_stream', route: '/note/:name' })]);
  });

  it('cuts who sends a request behind a stream later', async () => {
    const caller = call(get('/feed'));
    await until(() => caller.received.includes('feed'));
    caller.socket.write(get('/note/behind'));
    await until(() => caller.isClosed);
    await nothingIsInHand();
    expect([begun, await cut('behind_stream')]).toEqual([['feed'], 1]);
  });

  it('bounds how many wait, and cuts beyond', async () => {
    const within = call(get('/held'), get('/note/a').repeat(MAX_WAITING));
    await until(async () => (await inHand())[0] === 1 + MAX_WAITING);
    const beyond = call(get('/held'), get('/note/b').repeat(MAX_WAITING + 100));
    await until(() => beyond.isClosed);
    expect(await cut('too_many')).toBe(1);
    held.open();
    await until(() => statuses(within.received).length === 1 + MAX_WAITING);
    await nothingIsInHand();
    expect(begun).not.toContain('b');
  });

  it('does not hold up a drain with what waited on a connection that is gone', async () => {
    const { service } = build({
      http: { host: '127.0.0.1', port: 0, routes: addRoutes },
      // Whoever waits for the end of this does not end within the time of a test.
      drain: { timeoutMs: 3_600_000, delayMs: 0 },
    });
    const { url } = await service.start();
    port = Number(new URL(url).port);
    const { socket } = call(get('/held'), get('/note/a'), post('/size', '"', 60_000));
    await until(() => begun.length > 0);
    socket.resetAndDestroy();
    held.open();
    await service.destroy();
  });

  it('answers an injected request, which has no connection', async () => {
    expect((await running.app.fastify.inject('/note/a')).statusCode).toBe(200);
  });
});
