import { Controller, Get, Module } from '@nestjs/common';
import { asyncApi, openApi } from '@sluice/api-description';
import { openJetStreamDeliveryLog } from '@sluice/delivery-log-jetstream';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv, type Service } from '@sluice/service-runtime';
import { createAppHost, toHostConfig, type AppHost, type HostConfig } from './app-host';
import { hostSettings } from './host-settings';
import { durableLogCheck, readModelCheck } from './ready-checks';
import { serveParts, type AppPart } from './serve';

@Controller('nest')
class NestController {
  @Get()
  hello(): { from: string } {
    return { from: 'nest' };
  }
}

@Module({ controllers: [NestController] })
class NestModule {}

function hostConfig(env: Record<string, string> = {}): HostConfig {
  const definition = hostSettings({ httpPort: 0 });
  const fixed = { SLUICE_ENGINE: 'memory', SLUICE_HTTP_HOST: '127.0.0.1', SLUICE_LOG_LEVEL: 'error' };
  return toHostConfig('test', parseSettings(definition, readEnv(definition, { ...fixed, ...env })));
}

const createHost = (env: Record<string, string> = {}): AppHost => createAppHost(hostConfig(env));

describe('serveParts', () => {
  const running: Service[] = [];
  afterEach(async () => {
    for (const service of running.splice(0)) await service.destroy();
  });

  async function start(host: AppHost, parts: readonly AppPart[]) {
    const service = serveParts(host, parts);
    running.push(service);
    const { url, aliasUrls } = await service.start();
    return { service, aliasUrls, get: (path: string) => fetch(url + path, { headers: { connection: 'close' } }) };
  }

  it('serves the modules and the bare routes of several parts on one port', async () => {
    const { get } = await start(createHost(), [
      { name: 'one', module: { module: NestModule } },
      { name: 'two', routes: ({ fastify }) => void fastify.get('/bare', () => ({ from: 'bare' })) },
      { name: 'empty' },
    ]);
    expect(await (await get('/nest')).json()).toEqual({ from: 'nest' });
    expect(await (await get('/bare')).json()).toEqual({ from: 'bare' });
    expect((await get('/health')).status).toBe(200);
    expect((await get('/elsewhere')).status).toBe(404);
  });

  it('serves the descriptions of the platform to everybody, pages of any origin too', async () => {
    const { get } = await start(createHost({ SLUICE_CORS_ORIGINS: 'https://app.example' }), []);
    for (const [path, document] of Object.entries({ '/openapi.json': openApi, '/asyncapi.json': asyncApi })) {
      const answer = await get(path);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('content-type')).toBe('application/json; charset=utf-8');
      expect(answer.headers.get('access-control-allow-origin')).toBe('*');
      expect(await answer.json()).toEqual(document);
    }
    expect((await get('/health')).headers.get('access-control-allow-origin')).toBeNull();
  });

  it('serves by the further addresses of its host too', async () => {
    const config = hostConfig();
    const aliases = [{ host: '127.0.0.1', port: 0, setting: 'SLUICE_OTHER_PORT' }];
    const host = createAppHost({ ...config, http: { ...config.http, aliases } });
    const { aliasUrls } = await start(host, [
      { name: 'one', routes: ({ fastify }) => void fastify.get('/bare', () => ({ from: 'bare' })) },
    ]);
    expect(aliasUrls).toHaveLength(1);
    expect(await (await fetch(`${aliasUrls[0]}/bare`)).json()).toEqual({ from: 'bare' });
  });

  it('opens no further port to other machines where local callers are let in', async () => {
    const config = hostConfig({ SLUICE_LOOPBACK_WORKSPACE: '5' });
    const aliases = [{ host: '0.0.0.0', port: 0, setting: 'SLUICE_OTHER_PORT' }];
    const host = createAppHost({ ...config, http: { ...config.http, aliases } });
    expect(() => serveParts(host, [])).toThrow(/^SLUICE_OTHER_PORT: .*SLUICE_LOOPBACK_WORKSPACE/);
    await host.close();
  });

  it('lets local callers in at doors for them, in the workspace of the setting', async () => {
    const host = createHost({ SLUICE_LOOPBACK_WORKSPACE: '5' });
    const gatekeeper = await host.gatekeeper();
    const { get } = await start(host, [
      {
        name: 'one',
        routes: ({ fastify }) => {
          fastify.get('/local', (request) => gatekeeper.admit(request, { loopback: true }));
          fastify.get('/other', (request) => gatekeeper.admit(request));
        },
      },
    ]);
    expect(await (await get('/local')).json()).toEqual({ kind: 'local', workspaceId: 5 });
    expect((await get('/other')).status).toBe(401);
  });

  it('starts workers in order, stops them in reverse, and closes the engine last', async () => {
    const host = createHost();
    const events: string[] = [];
    const worker = (name: string) => ({
      name,
      start: async () => void events.push(`start ${name}`),
      stop: async () => void events.push(`stop ${name}`),
    });
    const close = jest.spyOn(host.engine, 'close').mockImplementation(async () => void events.push('close engine'));
    const { service } = await start(host, [
      { name: 'one', workers: [worker('a'), worker('b')] },
      { name: 'two', workers: [worker('c')] },
    ]);
    await service.destroy();
    expect(events).toEqual(['start a', 'start b', 'start c', 'stop c', 'stop b', 'stop a', 'close engine']);
    close.mockRestore();
    await host.close();
  });

  it('asks a check that several parts bring once, and is ready while all hold', async () => {
    const host = createHost();
    let questions = 0;
    const shared = { name: 'shared', check: async () => void questions++ };
    const checks = [await readModelCheck(host.engine), await durableLogCheck(host.engine)];
    const { get } = await start(host, [
      { name: 'one', checks: [shared, ...checks] },
      { name: 'two', checks: [shared, ...checks] },
    ]);
    const answer = await get('/ready');
    expect(answer.status).toBe(200);
    expect(questions).toBe(1);
    const text = await answer.text();
    for (const name of ['shared', 'read_model', 'durable_log']) expect(text).toContain(name);
  });

  it('shows the metrics of access and feed once they are opened', async () => {
    const host = createHost();
    await host.access();
    await host.feed();
    const { get } = await start(host, []);
    const text = await (await get('/metrics')).text();
    for (const name of ['sluice_watched_keys 0', 'sluice_key_checks_total', 'sluice_subscribers 0']) {
      expect(text).toContain(name);
    }
  });

  it('starts its feed and serves while the delivery log is away: events come from the read model (G6)', async () => {
    const host = createHost({ SLUICE_LOG_LEVEL: 'silent' });
    const deliveryLog = await openJetStreamDeliveryLog({
      servers: 'nats://127.0.0.1:1',
      stream: 'away',
      subject: 'away.recorded',
      retention: { maxAgeMs: 60_000, maxBytes: 1_048_576, maxMessages: 1_000 },
    });
    const opening = jest.spyOn(host.engine, 'deliveryLog').mockResolvedValue(deliveryLog);
    const feed = await host.feed();
    const { get } = await start(host, []);
    expect((await get('/health')).status).toBe(200);
    const readModel = await host.engine.readModel();
    await readModel.record({ envelopes: [sandboxEnvelope()], parked: [], checkpoints: new Map() });
    await until(() => feed.head.position === 1, 'the feed shows the event');
    expect(feed.followsDeliveryLog).toBe(false);
    opening.mockRestore();
    await deliveryLog.close();
  });

  it('gives every part of a process the same ports, and opens none by itself', async () => {
    const host = createHost();
    expect(await host.access()).toBe(await host.access());
    expect(await host.gatekeeper()).toBe(await host.gatekeeper());
    expect(await host.feed()).toBe(await host.feed());
    expect(await host.engine.readModel()).toBe(await host.engine.readModel());
    await host.close();
    await host.close();
  });

  it('ends the streams of a key that another process revoked, and counts them', async () => {
    const host = createHost({ SLUICE_KEY_CACHE_TTL: '0' });
    const access = await host.access();
    const store = await host.engine.apiKeys();
    const record = {
      keyId: crypto.randomUUID(),
      hash: '0'.repeat(64),
      workspaceId: 1,
      role: 'reader',
      name: 'test',
      createdAt: 0,
    } as const;
    await store.insert(record);
    const { keyId, workspaceId, role } = record;
    const ended = new Promise<string>((resolve) => {
      access.watch({ kind: 'api_key', keyId, workspaceId, role, limits: {} }, ({ code }) => resolve(code));
    });
    await store.revoke({ keyId });
    expect(await ended).toBe('unauthorized');
    const metrics = await host.metrics.expose();
    expect(metrics).toContain('sluice_streams_revoked_total 1');
    expect(metrics).toContain('sluice_key_checks_total{outcome="ok"} 1');
    await host.close();
  });
});
