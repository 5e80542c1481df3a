import { createServer } from 'node:net';
import { Injectable, Module, type OnModuleDestroy } from '@nestjs/common';
import { SluiceError } from '@sluice/event-log';
import { gate, until } from '../test/harness';
import { build, recorder, statusOf } from '../test/service-fixture';
import type { Worker } from './index';

const HEALTHY = {
  status: 'ok',
  service: 'sluice',
  version: expect.stringMatching(/^\d+\.\d+\.\d+/),
  timestamp: expect.stringMatching(/^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z$/),
  uptime: 'running',
};

describe('service', () => {
  it('starts in order, serves, and is destroyed in reverse, once', async () => {
    const { events, worker, resource } = recorder();
    const { service } = build({
      workers: [worker('a'), worker('b')],
      resources: [resource('pool'), resource('log')],
    });
    const { url } = await service.start();
    expect(await service.start()).toEqual({ url, aliasUrls: [] });
    expect(await statusOf(`${url}/health`)).toEqual([200, HEALTHY]);
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
    expect(await statusOf(`${url}/health`)).toEqual([200, HEALTHY]);
    expect(await statusOf(`${url}/ready`)).toEqual([503, { status: 'starting' }]);
    expect(await statusOf(`${url}/work`)).toEqual([503, expect.objectContaining({ code: 'overloaded' })]);
    held.open();
    await started;
    expect(await statusOf(`${url}/work`)).toEqual([200, { done: true }]);
    await service.destroy();
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
