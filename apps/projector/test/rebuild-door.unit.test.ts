import { issueApiKey } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { send } from '@sluice/engine/conformance';
import type { MemoryDurableLog } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv, type Service } from '@sluice/service-runtime';
import { settings, toProjectorConfig } from '../src/config';
import { createProjectorPart } from '../src/projector-part';
import { envelope, range } from './tools';

const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
const PATH = '/v1/admin/rebuild';
const values = parseSettings(
  settings,
  readEnv(settings, {
    SLUICE_ENGINE: 'memory',
    SLUICE_HTTP_HOST: '127.0.0.1',
    SLUICE_HTTP_PORT: '0',
    SLUICE_LOG_LEVEL: 'silent',
    SLUICE_OPERATOR_KEYS: OPERATOR_KEY,
  }),
);

describe('/v1/admin/rebuild', () => {
  let host: AppHost;
  let service: Service;
  let url: string;
  beforeEach(async () => {
    host = createAppHost(toHostConfig('projector', values));
    service = serveParts(host, [await createProjectorPart(host, toProjectorConfig(values))]);
    ({ url } = await service.start());
  });
  afterEach(() => service.destroy());

  const call = (method: string, path = PATH, json?: unknown) =>
    send(url, path, { method, key: OPERATOR_KEY, ...(json === undefined ? {} : { json }) });
  const project = async (count: number) => {
    const log = (await host.engine.durableLog()) as MemoryDurableLog;
    await log.append(range(1, count).map((n) => envelope({ entityId: `sandbox-${n % 5}` })));
    const model = await host.engine.readModel();
    await until(async () => (await model.head()).position >= count, 'all is projected');
    return model.head();
  };
  const untilState = (state: string) =>
    until(async () => (await call('GET')).body.rebuild?.state === state, `the rebuild is ${state}`);

  it('rebuilds beside the live model and keeps the numbering, or makes a new one (G10)', async () => {
    const head = await project(50);
    expect((await call('GET')).body).toEqual({ rebuild: null });
    expect(await call('POST')).toMatchObject({
      status: 202,
      body: { rebuild: { rebuildId: 1, state: 'building', positions: 'keep', dropOld: false, liveEvents: 50 } },
    });
    await untilState('switched');
    const model = await host.engine.readModel();
    expect(await model.head()).toEqual(head);
    expect((await call('POST')).status).toBe(409);
    expect((await call('DELETE', `${PATH}/old`)).body).toEqual({ dropped: true });
    expect((await call('DELETE', `${PATH}/old`)).body).toEqual({ dropped: false });

    expect((await call('POST', PATH, { positions: 'renumber', dropOld: true })).status).toBe(202);
    await untilState('switched');
    await until(async () => (await call('GET')).body.rebuild.oldModelKept === false, 'the former model is dropped');
    expect((await model.head()).position).toBe(head.position);
    expect((await model.head()).epoch).not.toBe(head.epoch);
  });

  it('ends what was asked for and not done', async () => {
    expect(await call('DELETE')).toMatchObject({ status: 409 });
    expect((await call('POST')).status).toBe(202);
    const { status } = await call('DELETE');
    expect([202, 409]).toContain(status);
    await until(async () => (await call('GET')).body.rebuild.finishedAt !== undefined, 'it is over');
    expect(['aborted', 'switched']).toContain((await call('GET')).body.rebuild.state);
  });

  it('is for operators, and takes nothing that it does not know', async () => {
    const keys = await host.engine.apiKeys();
    const { apiKey: key } = await issueApiKey(keys, { workspaceId: 1, role: 'admin', name: 'of a workspace' });
    for (const [method, path] of [
      ['POST', PATH],
      ['GET', PATH],
      ['DELETE', PATH],
      ['DELETE', `${PATH}/old`],
    ] as const) {
      expect((await send(url, path, { method })).status).toBe(401);
      expect((await send(url, path, { method, key })).status).toBe(403);
      expect((await call(method, `${path}?more=1`)).status).toBe(400);
    }
    expect((await call('POST', PATH, { positions: 'some' })).status).toBe(400);
    expect((await call('POST', PATH, { more: true })).status).toBe(400);
    expect((await call('GET')).body).toEqual({ rebuild: null });
  });
});
