import { connect } from 'node:net';
import { Module, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance } from 'fastify';
import { exchange, gate, until } from '../test/harness';
import { startApp } from '../test/http-fixture';
import { openSocket, refusalOf, upgradeHead } from '../test/web-socket-client';
import type { HttpApp, WebSocketLimits } from './index';

@Module({})
class SocketModule implements OnModuleInit {
  constructor(private readonly adapterHost: HttpAdapterHost) {}

  onModuleInit(): void {
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    fastify.get('/nest/socket', { websocket: true }, (socket) => {
      socket.on('message', (data) => socket.send(`nest ${String(data)}`));
    });
  }
}

const TOKEN = 's3cret-token';

describe('WebSockets', () => {
  const running: HttpApp[] = [];
  afterEach(async () => {
    for (const app of running.splice(0)) await app.close();
  });

  async function start(
    webSockets: Partial<WebSocketLimits> = {},
    routes: (fastify: FastifyInstance) => void = () => undefined,
  ) {
    const started = await startApp({
      module: SocketModule,
      // None of these tests may pass only because an upgrade takes too long.
      webSockets: { upgradeTimeoutMs: 600_000, ...webSockets },
      routes: ({ fastify }) => {
        fastify.get('/echo', { websocket: true }, (socket) => {
          socket.on('message', (data) => socket.send(String(data)));
        });
        fastify.get('/throws', { websocket: true }, () => {
          throw new Error('handler broke');
        });
        fastify.get('/rejects', { websocket: true }, () => Promise.reject(new Error('handler broke later')));
        routes(fastify);
      },
    });
    running.push(started.app);
    const port = await started.app.listen({ host: '127.0.0.1', port: 0 });
    const long = async () => Number(/in_hand\{kind="long"\} (\d+)/.exec(await started.metrics.expose())?.[1]);
    return { ...started, port, url: `http://127.0.0.1:${port}`, long };
  }

  it('opens at a door that a Nest module registers in onModuleInit, and says the request id', async () => {
    const { url } = await start();
    const { socket, messages, headers } = await openSocket(`${url}/nest/socket`, { 'x-request-id': 'r-1' });
    socket.send('hello');
    await until(() => messages.length > 0);
    expect(messages).toEqual(['nest hello']);
    expect(headers['x-request-id']).toBe('r-1');
    expect(headers['sec-websocket-extensions']).toBeUndefined();
  });

  it('answers a plain GET with 426 and HEAD with 405', async () => {
    const { url } = await start();
    const answer = await fetch(`${url}/nest/socket`);
    expect([answer.status, await answer.json()]).toEqual([426, expect.objectContaining({ code: 'upgrade_required' })]);
    expect(answer.headers.get('upgrade')).toBe('websocket');
    expect(answer.headers.get('access-control-allow-origin')).toBe('*');
    expect((await fetch(`${url}/nest/socket`, { method: 'HEAD' })).status).toBe(405);
    expect((await fetch(`${url}/nest/socket`, { method: 'POST' })).status).toBe(405);
  });

  it.each([
    ['a route without one', '/bare/address', 400, 'invalid_request'],
    ['an unknown path', '/nowhere', 404, 'not_found'],
    ['an address that is no URL', `/%zz?token=${TOKEN}`, 400, 'invalid_request'],
    ['a Nest route without one', '/nest/fail/bad', 404, 'not_found'],
  ])('refuses an upgrade at %s as JSON and closes the connection', async (_name, path, status, code) => {
    const { url, port } = await start();
    const refusal = await refusalOf(url + path);
    expect(refusal.status).toBe(status);
    expect(JSON.parse(refusal.body)).toMatchObject({
      success: false,
      code,
      requestId: refusal.headers['x-request-id'],
    });
    expect(refusal.headers['content-type']).toBe('application/json; charset=utf-8');
    expect(refusal.headers.connection).toBe('close');
    // It ends when the server closes.
    expect(await exchange(port, upgradeHead(path))).toContain(`"code":"${code}"`);
  });

  it('answers what an onRequest hook throws, at once or later, before anything is upgraded', async () => {
    let opened = 0;
    const { url } = await start({}, (fastify) => {
      const refuse = new SluiceError('rate_limited', 'slowly', { retryAfterMs: 3_000 });
      fastify.get(
        '/now',
        { websocket: true, onRequest: (_request, _reply, done) => done(refuse) },
        () => void opened++,
      );
      fastify.get('/later', { websocket: true, onRequest: async () => Promise.reject(refuse) }, () => void opened++);
    });
    for (const path of ['/now', '/later']) {
      const { status, headers, body } = await refusalOf(url + path);
      expect([status, JSON.parse(body)]).toEqual([429, expect.objectContaining({ code: 'rate_limited' })]);
      expect(headers['retry-after']).toBe('3');
      expect(headers['access-control-allow-origin']).toBe('*');
    }
    expect(opened).toBe(0);
  });

  it('refuses upgrades while it starts and while it drains', async () => {
    const { app, url } = await start();
    app.setGate('starting');
    const starting = await refusalOf(`${url}/echo`);
    expect([starting.status, JSON.parse(starting.body).code]).toEqual([503, 'overloaded']);
    app.setGate('closed');
    const closed = await refusalOf(`${url}/echo`);
    expect([closed.status, JSON.parse(closed.body).code]).toEqual([503, 'shutting_down']);
    app.setGate('open');
    (await openSocket(`${url}/echo`)).socket.close();
  });

  it.each([
    ['version', 'Sec-WebSocket-Version: 13', 'Sec-WebSocket-Version: 12'],
    ['key', 'dGhlIHNhbXBsZSBub25jZQ==', 'short'],
    ['protocols', 'Host: localhost', 'Host: localhost\r\nSec-WebSocket-Protocol: a,,b'],
  ])('refuses a handshake with a bad %s', async (_name, good, bad) => {
    const { port } = await start();
    const answer = await exchange(port, upgradeHead('/echo').replace(good, bad));
    expect(answer).toMatch(/^HTTP\/1\.1 400 /);
    expect(answer).toContain('"code":"invalid_request"');
  });

  it('serves a request that offers another protocol as if it had not, with its body, and keeps the connection', async () => {
    const { port } = await start();
    const offer = 'Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n';
    const body = '{"a":1}';
    const length = `Content-Type: application/json\r\nContent-Length: ${body.length}\r\n`;
    let answers = '';
    const socket = connect(port, '127.0.0.1').on('data', (chunk: Buffer) => (answers += chunk.toString()));
    const ended = new Promise((resolve) => socket.on('close', resolve));
    socket.write(`POST /bare/echo HTTP/1.1\r\nHost: x\r\n${offer}${length}\r\n${body.slice(0, 3)}`);
    await until(() => socket.bytesWritten > 100);
    socket.write(body.slice(3));
    await until(() => answers.includes(body));
    socket.write(`GET /bare/address HTTP/1.1\r\nHost: x\r\n${offer.replace('Upgrade,', 'close, Upgrade,')}\r\n`);
    await ended;
    const statuses = [...answers.matchAll(/HTTP\/1\.1 (\d{3})/g)].map(([, status]) => status);
    expect(statuses).toEqual(['200', '200']);
    expect(answers).toContain('{"ip":"127.0.0.1"}');
  });

  it('closes with 1009 for a message beyond its bound, and only that socket', async () => {
    const { url, lines } = await start();
    const { socket, messages, closed } = await openSocket(`${url}/echo`);
    const other = await openSocket(`${url}/echo`);
    socket.send('x'.repeat(65_536));
    await until(() => messages.length === 1);
    socket.send('x'.repeat(65_537));
    expect((await closed).code).toBe(1009);
    other.socket.send('still here');
    await until(() => other.messages.length === 1);
    expect(lines.filter(({ level }) => level === 'error')).toEqual([]);
  });

  it('takes a message in 16 fragments, and closes with 1008 for one in more', async () => {
    const { url } = await start();
    const { socket, messages, closed } = await openSocket(`${url}/echo`);
    const send = (fragments: number) => {
      for (let n = 1; n <= fragments; n++) socket.send('x', { fin: n === fragments });
    };
    send(16);
    await until(() => messages.length === 1);
    expect(messages[0]).toContain('x'.repeat(16));
    send(17);
    expect((await closed).code).toBe(1008);
    expect(messages).toHaveLength(1);
  });

  it.each(['/throws', '/rejects'])('closes with 1011 and logs when the handler of %s fails', async (path) => {
    const { url, lines } = await start();
    const { closed } = await openSocket(url + path);
    expect(await closed).toEqual({ code: 1011, reason: 'internal' });
    expect(lines).toContainEqual(
      expect.objectContaining({ level: 'error', message: 'websocket handler failed', route: path }),
    );
  });

  it('counts it as a stream while it is open, and measures and logs it when it closes, without its token', async () => {
    const { app, url, lines, metrics, long, text } = await start();
    const { socket, closed } = await openSocket(`${url}/echo?token=${TOKEN}`);
    expect(await long()).toBe(1);
    expect(app.requests.shortInHand).toBe(0);
    expect(lines.filter(({ message }) => message === 'request')).toEqual([]);
    socket.close();
    await closed;
    await until(async () => (await long()) === 0);
    const requests = lines.filter(({ message }) => message === 'request');
    expect(requests).toEqual([expect.objectContaining({ status: 101, method: 'GET', route: '/echo', level: 'debug' })]);
    expect(await metrics.expose()).toContain('count{route="/echo",method="GET",status="101"} 1');
    expect(await metrics.expose()).toContain('sluice_http_upgrades_pending 0');
    expect(text()).not.toContain(TOKEN);
  });

  it('bounds the upgrades that are pending, and goes on when one is decided', async () => {
    const held = gate();
    const { url, metrics } = await start({ maxPendingUpgrades: 1 }, (fastify) => {
      fastify.get('/held', { websocket: true, onRequest: () => held.opened }, (socket) => socket.send('welcome'));
    });
    const first = openSocket(`${url}/held`);
    await until(async () => (await metrics.expose()).includes('sluice_http_upgrades_pending 1'));
    const second = await refusalOf(`${url}/held`);
    expect([second.status, JSON.parse(second.body).code]).toEqual([503, 'overloaded']);
    expect(second.headers['retry-after']).toBe('1');
    expect(await metrics.expose()).toContain('sluice_http_upgrades_cut_total{reason="too_many"} 1');
    held.open();
    const { messages } = await first;
    await until(() => messages.includes('welcome'));
    (await openSocket(`${url}/held`)).socket.close();
  });

  it.each([
    ['is not decided', () => new Promise<void>(() => undefined)],
    ['has an answer that its caller does not read', undefined],
  ])('cuts an upgrade in time that %s', async (_name, decide) => {
    const { port, metrics, long } = await start({ upgradeTimeoutMs: 2_500 }, (fastify) => {
      fastify.get(
        '/stuck',
        {
          websocket: true,
          onRequest: async (_request, reply) => {
            await decide?.();
            return reply.code(403).send(Buffer.alloc(64 * 1_048_576));
          },
        },
        () => undefined,
      );
    });
    const socket = connect(port, '127.0.0.1').pause();
    socket.on('error', () => undefined);
    socket.write(upgradeHead('/stuck'));
    await until(async () => (await long()) === 1);
    await until(async () => (await metrics.expose()).includes('sluice_http_upgrades_cut_total{reason="timeout"} 1'));
    await until(async () => (await long()) === 0);
    socket.destroy();
  });

  it('cuts an upgrade that is sent behind a request without waiting for its answer', async () => {
    const { port, metrics } = await start();
    const bytes = `GET /bare/stream HTTP/1.1\r\nHost: x\r\n\r\n${upgradeHead('/echo')}`;
    expect(await exchange(port, bytes)).not.toContain('101');
    expect(await metrics.expose()).toContain('sluice_http_upgrades_cut_total{reason="pipelined"} 1');
  });

  it('cuts a socket on which nothing happens', async () => {
    const { url } = await start({ idleTimeoutMs: 100 });
    const { closed } = await openSocket(`${url}/echo`);
    expect((await closed).code).toBe(1006);
  });

  it('survives a caller that is gone before the upgrade is decided', async () => {
    const held = gate();
    const { port, url, long } = await start({}, (fastify) => {
      fastify.get('/held', { websocket: true, onRequest: () => held.opened }, () => undefined);
    });
    const socket = connect(port, '127.0.0.1');
    socket.write(upgradeHead('/held'));
    await until(async () => (await long()) === 1);
    socket.resetAndDestroy();
    held.open();
    await until(async () => (await long()) === 0);
    (await openSocket(`${url}/echo`)).socket.close();
  });
});
