import { connect, createServer } from 'node:net';
import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import type { FastifyReply } from 'fastify';
import { SluiceError } from '@sluice/event-log';
import { exchange, gate, keptLogger, newMetrics, until } from '../test/harness';
import { createService, type HttpApp, type Resource, type ServiceOptions, type Worker } from './index';

function build(options: Partial<ServiceOptions> & { routes?: (app: HttpApp) => void } = {}) {
  const kept = keptLogger();
  const { routes, ...rest } = options;
  const service = createService({
    name: 'test',
    http: { host: '127.0.0.1', port: 0, ...(routes && { routes }) },
    logger: kept.logger,
    metrics: newMetrics(),
    readiness: { cacheMs: 0 },
    drain: { timeoutMs: 5_000, delayMs: 0 },
    ...rest,
  });
  return { service, ...kept };
}

function recorder() {
  const events: string[] = [];
  const worker = (name: string): Worker => ({
    name,
    start: async () => void events.push(`start ${name}`),
    stop: async () => void events.push(`stop ${name}`),
  });
  const resource = (name: string): Resource => ({ name, close: async () => void events.push(`close ${name}`) });
  return { events, worker, resource };
}

async function statusOf(url: string): Promise<[number, unknown]> {
  const answer = await fetch(url, { headers: { connection: 'close' } });
  return [answer.status, await answer.json()];
}

describe('service', () => {
  it('starts in order, serves, and is destroyed in reverse, once', async () => {
    const { events, worker, resource } = recorder();
    const { service } = build({
      workers: [worker('a'), worker('b')],
      resources: [resource('pool'), resource('log')],
    });
    const { url } = await service.start();
    expect(await service.start()).toEqual({ url });
    expect(await statusOf(`${url}/health`)).toEqual([200, { status: 'ok' }]);
    expect(await statusOf(`${url}/ready`)).toEqual([200, { status: 'ready', checks: {} }]);
    const metrics = await fetch(`${url}/metrics`);
    expect(metrics.headers.get('content-type')).toMatch(/^text\/plain; version=0\.0\.4/);
    expect(await metrics.text()).toContain('sluice_ready 1');
    await Promise.all([service.destroy(), service.destroy()]);
    expect(events).toEqual(['start a', 'start b', 'stop b', 'stop a', 'close log', 'close pool']);
    await expect(fetch(`${url}/health`)).rejects.toThrow();
  });

  it('turns not ready when a check fails, and ready again by itself', async () => {
    let failure: Error | undefined;
    const { service } = build({
      checks: [{ name: 'log', check: () => (failure ? Promise.reject(failure) : Promise.resolve()) }],
    });
    const { url } = await service.start();
    expect(await statusOf(`${url}/ready`)).toEqual([200, { status: 'ready', checks: { log: 'ok' } }]);
    failure = new SluiceError('log_unavailable', 'down');
    expect(await statusOf(`${url}/ready`)).toEqual([503, { status: 'not_ready', checks: { log: 'log_unavailable' } }]);
    expect(await (await fetch(`${url}/metrics`)).text()).toContain('sluice_ready_check{check="log"} 0');
    expect((await statusOf(`${url}/health`))[0]).toBe(200);
    failure = undefined;
    expect((await statusOf(`${url}/ready`))[0]).toBe(200);
    await service.destroy();
  });

  it('is alive but not ready, and refuses work, until its workers have started', async () => {
    const held = gate();
    let port = 0;
    const { service } = build({
      routes: (app) => {
        app.server.once('listening', () => {
          const address = app.server.address();
          port = typeof address === 'object' && address ? address.port : 0;
        });
        app.fastify.get('/work', () => ({ done: true }));
      },
      workers: [{ name: 'slow', start: () => held.opened, stop: () => Promise.resolve() }],
    });
    const started = service.start();
    await until(() => port > 0);
    const url = `http://127.0.0.1:${port}`;
    expect(await statusOf(`${url}/health`)).toEqual([200, { status: 'ok' }]);
    expect(await statusOf(`${url}/ready`)).toEqual([503, { status: 'starting' }]);
    expect(await statusOf(`${url}/work`)).toEqual([503, expect.objectContaining({ code: 'overloaded' })]);
    held.open();
    await started;
    expect(await statusOf(`${url}/work`)).toEqual([200, { done: true }]);
    await service.destroy();
  });

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
      drain: { timeoutMs: 20_000, delayMs: 300 },
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
    });
    const { url } = await service.start();
    const answer = exchange(Number(new URL(url).port), 'GET /stream HTTP/1.1\r\nHost: x\r\n\r\n');
    await until(() => streams.size === 1);
    const startedAtMs = performance.now();
    await service.destroy();
    expect(performance.now() - startedAtMs).toBeLessThan(2_000);
    expect(await answer).toContain(' bye');
  });

  it('ends within its time though everything hangs, and still closes the rest', async () => {
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
    await service.destroy();
    const durationMs = performance.now() - startedAtMs;
    expect(durationMs).toBeGreaterThan(500);
    expect(durationMs).toBeLessThan(1_300);
    expect(await hanging).toBe('cut');
    expect(events).toEqual(['start good', 'stop good', 'close pool']);
    const outcomes = lines.filter((line) => String(line['message']).startsWith('drain step'));
    const timedOut = outcomes.filter((line) => line['message'] === 'drain step timed out').map((line) => line['step']);
    expect(timedOut).toEqual(['finish requests', 'stop bad', 'end connections', 'close stuck']);
    expect(outcomes).toContainEqual(expect.objectContaining({ message: 'drain step failed', step: 'close broken' }));
  });

  it('tells a taken port in one line and closes what was open', async () => {
    const other = createServer();
    await new Promise<void>((resolve) => other.listen(0, '127.0.0.1', resolve));
    const address = other.address();
    const port = typeof address === 'object' && address ? address.port : 0;
    const { events, worker, resource } = recorder();
    const { service } = build({
      http: { host: '127.0.0.1', port },
      workers: [worker('loop')],
      resources: [resource('pool')],
    });
    await expect(service.start()).rejects.toMatchObject({
      code: 'configuration',
      message: `port ${port} is taken: set SLUICE_HTTP_PORT`,
    });
    expect(events).toEqual(['close pool']);
    await new Promise((resolve) => other.close(resolve));
  });

  it('destroys what was started when a worker cannot start', async () => {
    const { events, worker, resource } = recorder();
    const bad: Worker = {
      name: 'bad',
      start: () => Promise.reject(new SluiceError('log_unavailable', 'no broker')),
      stop: async () => void events.push('stop bad'),
    };
    const { service } = build({ workers: [worker('a'), bad, worker('c')], resources: [resource('pool')] });
    await expect(service.start()).rejects.toThrow('no broker');
    expect(events).toEqual(['start a', 'stop bad', 'stop a', 'close pool']);
  });

  it('can be destroyed while it starts, or before', async () => {
    const { events, resource } = recorder();
    const held = gate();
    let isStarting = false;
    const slow: Worker = {
      name: 'slow',
      start: () => {
        isStarting = true;
        return held.opened;
      },
      stop: async () => held.open(),
    };
    const { service } = build({ workers: [slow], resources: [resource('pool')] });
    const started = service.start();
    started.catch(() => undefined);
    await until(() => isStarting);
    await service.destroy();
    await expect(started).rejects.toMatchObject({ code: 'shutting_down' });

    const unborn = build({ resources: [resource('other')] }).service;
    await unborn.destroy();
    await expect(unborn.start()).rejects.toMatchObject({ code: 'shutting_down' });
    expect(events).toEqual(['close pool', 'close other']);

    const early = build({ resources: [resource('early')] }).service;
    const earlyStart = early.start();
    earlyStart.catch(() => undefined);
    await early.destroy();
    await expect(earlyStart).rejects.toMatchObject({ code: 'shutting_down' });
  });

  it('closes its Nest module after the workers and before the resources', async () => {
    const { events, worker, resource } = recorder();

    @Injectable()
    class Provider implements OnModuleDestroy {
      onModuleDestroy(): void {
        events.push('destroy module');
      }
    }
    @Module({ providers: [Provider] })
    class AppModule {}
    const { service } = build({ module: AppModule, workers: [worker('loop')], resources: [resource('pool')] });
    await service.start();
    await service.destroy();
    expect(events).toEqual(['start loop', 'stop loop', 'destroy module', 'close pool']);
  });
});
