import { once } from 'node:events';
import { connect } from 'node:net';
import type { FastifyReply } from 'fastify';
import { exchange, gate, until } from '../test/harness';
import { build, recorder, statusOf } from '../test/service-fixture';

/** What waits for this does not end within the time of a test. */
const LONGER_THAN_A_TEST_MS = 3_600_000;

describe('service drain', () => {
  it('says that it drains, serves on during the delay, then finishes what it has in hand', async () => {
    const held = gate();
    const { events, worker, resource } = recorder();
    let isWorking = false;
    const { service } = build({
      routes: (app) => {
        app.fastify.get('/slow', async () => {
          isWorking = true;
          await held.opened;
          events.push('answered');
          return { slow: true };
        });
        app.fastify.get('/quick', () => ({ quick: true }));
      },
      workers: [worker('loop')],
      resources: [resource('pool')],
      drain: { timeoutMs: 20_000, delayMs: 3_000 },
    });
    const { url } = await service.start();
    const slow = fetch(`${url}/slow`);
    await until(() => isWorking);
    const destroyed = service.destroy();
    expect(await statusOf(`${url}/ready`)).toEqual([503, { status: 'draining' }]);
    expect(await statusOf(`${url}/quick`)).toEqual([200, { quick: true }]);
    await until(() =>
      statusOf(`${url}/quick`).then(
        () => false,
        () => true,
      ),
    );
    expect(events).toEqual(['start loop']);
    held.open();
    const answer = await slow;
    expect([answer.status, await answer.json()]).toEqual([200, { slow: true }]);
    expect(answer.headers.get('connection')).toBe('close');
    await destroyed;
    expect(events).toEqual(['start loop', 'answered', 'stop loop', 'close pool']);
  });

  it('answers shutting_down to a request that comes by an open connection while others finish', async () => {
    const held = gate();
    let isWorking = false;
    const { service } = build({
      routes: (app) => {
        app.fastify.get('/slow', async () => {
          isWorking = true;
          await held.opened;
          return { slow: true };
        });
        app.fastify.get('/next', () => ({ next: true }));
      },
    });
    const { url } = await service.start();
    const port = Number(new URL(url).port);
    // The head of the second request is open before the drain begins, so its connection is not idle.
    let received = '';
    const socket = connect(port, '127.0.0.1');
    socket.on('data', (chunk: Buffer) => (received += chunk.toString()));
    socket.write('GET /next HTTP/1.1\r\nHost: x\r\n');
    const slow = fetch(`${url}/slow`);
    await until(() => isWorking);
    const destroyed = service.destroy();
    await until(() =>
      fetch(`${url}/health`).then(
        () => false,
        () => true,
      ),
    );
    socket.write('\r\n');
    await until(() => received.includes('"code":"shutting_down"'));
    expect(received).toMatch(/^HTTP\/1\.1 503 /);
    expect(received).toMatch(/\r\nretry-after: 1\r\n/);
    held.open();
    expect((await slow).status).toBe(200);
    await destroyed;
  });

  it('leaves streams to their worker', async () => {
    const streams = new Set<FastifyReply>();
    const { service } = build({
      routes: (app) => {
        app.fastify.get('/stream', { config: { longLived: true } }, async (_request, reply) => {
          reply.hijack();
          reply.raw.writeHead(200).write('hello');
          streams.add(reply);
        });
      },
      workers: [
        {
          name: 'streams',
          start: () => Promise.resolve(),
          stop: async () => {
            for (const reply of streams) reply.raw.end(' bye');
          },
        },
      ],
      drain: { timeoutMs: LONGER_THAN_A_TEST_MS, delayMs: 0 },
    });
    const { url } = await service.start();
    const answer = exchange(Number(new URL(url).port), 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => streams.size === 1);
    await service.destroy();
    expect(await answer).toContain(' bye');
  });

  it('does not wait for a connection by which nothing was ever asked', async () => {
    const { service } = build({ drain: { timeoutMs: LONGER_THAN_A_TEST_MS, delayMs: 0 } });
    const { url } = await service.start();
    const socket = connect(Number(new URL(url).port), '127.0.0.1');
    await once(socket, 'connect');
    // Accepted too: the server answers others only after it.
    await fetch(`${url}/health`);
    const closed = once(socket, 'close');
    await service.destroy();
    await closed;
  });

  it('ends though everything hangs, and still closes the rest', async () => {
    const never = () => new Promise<void>(() => undefined);
    const { events, worker, resource } = recorder();
    let isWorking = false;
    const { service, lines } = build({
      routes: (app) => {
        app.fastify.get('/hang', () => {
          isWorking = true;
          return never();
        });
      },
      workers: [worker('good'), { name: 'bad', start: () => Promise.resolve(), stop: never }],
      resources: [
        resource('pool'),
        { name: 'stuck', close: never },
        { name: 'broken', close: () => Promise.reject(new Error('broken pipe')) },
      ],
      drain: { timeoutMs: 1_000, delayMs: 0 },
    });
    const { url } = await service.start();
    const hanging = fetch(`${url}/hang`).then(
      () => 'answered',
      () => 'cut',
    );
    await until(() => isWorking);
    const startedAtMs = performance.now();
    // What hangs would do so for ever.
    await service.destroy();
    expect(performance.now() - startedAtMs).toBeGreaterThan(500);
    expect(await hanging).toBe('cut');
    expect(events).toEqual(['start good', 'stop good', 'close pool']);
    const outcomes = lines.filter((line) => String(line['message']).startsWith('drain step'));
    const timedOut = outcomes.filter((line) => line['message'] === 'drain step timed out').map((line) => line['step']);
    expect(timedOut).toEqual(['finish requests', 'stop bad', 'end connections', 'close stuck']);
    expect(outcomes).toContainEqual(expect.objectContaining({ message: 'drain step failed', step: 'close broken' }));
  });
});
