import { issueApiKey } from '@sluice/access';
import { createAppHost, serveParts, toHostConfig, type AppHost } from '@sluice/engine';
import { send } from '@sluice/engine/conformance';
import { MemoryReadModel, SluiceError, type EventRetention, type RetentionStep } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { parseSettings, readEnv, type Service } from '@sluice/service-runtime';
import { settings, toProjectorConfig } from '../src/config';
import { createProjectorPart } from '../src/projector-part';
import { createRetentionWorker, type RetentionWorkerOptions } from '../src/retention/retention-worker';
import { envelope, range, TestSignals } from './tools';

describe('the worker of retention', () => {
  const POLICY = { workspaceId: 'default', family: 'sandbox', maxAgeMs: 1 } as const;
  const BOUNDS = { maxEvents: 3, maxBytes: 1_000_000, maxScanned: 10 };
  let model: MemoryReadModel;
  let test: TestSignals;
  beforeEach(() => {
    model = new MemoryReadModel();
    test = new TestSignals();
  });

  const start = (retention: Pick<EventRetention, 'claim'>, options: Partial<RetentionWorkerOptions> = {}) => {
    const worker = createRetentionWorker({
      ...{ retention, signals: test.signals, holder: 'a', pollIntervalMs: 5, pauseMs: 0, bounds: BOUNDS },
      ...options,
    });
    void worker.start();
    return worker;
  };
  const fill = (count: number) =>
    model.record({ envelopes: range(1, count).map(() => envelope()), parked: [], checkpoints: new Map() });
  const keptEvents = async () => (await model.read({ filter: { workspaceIds: [1] }, limit: 1_000 })).events.length;

  it('removes what is too old in small steps, and tells how much', async () => {
    await fill(10);
    await model.retention.setPolicy(POLICY);
    const worker = start(model.retention);
    await until(async () => (await keptEvents()) === 0, 'all is removed');
    await fill(2);
    await until(async () => (await keptEvents()) === 0, 'what came later is removed as well');
    await worker.stop();
    expect(await test.value('sluice_retention_removed_events_total{family="sandbox"}')).toBe(12);
    expect(await test.value('sluice_retention_active')).toBe(0);
    // The right was given back.
    expect(await model.retention.claim('another', 1)).toBeDefined();
  });

  it('ends between two steps, and another one goes on from there (G6)', async () => {
    await fill(30);
    await model.retention.setPolicy(POLICY);
    let steps = 0;
    const claimed: string[] = [];
    const counting: Pick<EventRetention, 'claim'> = {
      claim: async (holder, leaseMs) => {
        const work = await model.retention.claim(holder, leaseMs);
        if (work) claimed.push(holder);
        return work && { ...work, step: (bounds) => (steps++, work.step(bounds)) };
      },
    };
    const first = start(counting, { pauseMs: 60_000 });
    await until(() => steps === 1, 'the first step is done');
    await first.stop();
    expect(await keptEvents()).toBeGreaterThan(0);
    const second = start(counting, { holder: 'b' });
    await until(async () => (await keptEvents()) === 0, 'all is removed');
    await second.stop();
    expect([claimed[0], claimed[1]]).toEqual(['a', 'b']);
  });

  it('tells what is overdue while it is at it, and nothing when another one is', async () => {
    await fill(30);
    await model.retention.setPolicy(POLICY);
    const worker = start(model.retention, { pauseMs: 60_000 });
    await until(async () => (await test.value('sluice_retention_due_policies')) === 1, 'it is at it');
    expect(await test.value('sluice_retention_overdue_seconds')).toBeGreaterThanOrEqual(0);
    const asked = start({ claim: async () => undefined });
    await until(async () => (await test.value('sluice_retention_due_policies')) === 0, 'another one is at it');
    await asked.stop();
    await worker.stop();
  });

  it('removes nothing while the clocks differ, and says so', async () => {
    const step = async () => ({ kind: 'clocks_differ', byMs: -70_000 }) as const;
    const backlog = () => ({ policies: 0, overdueMs: 0 });
    let released = 0;
    const worker = start({
      claim: async () => ({ step, backlog, renew: async () => undefined, release: async () => void released++ }),
    });
    await until(() => released > 1, 'it looks again');
    await worker.stop();
    expect(await test.value('sluice_retention_refusals_total')).toBe(released);
    expect(test.logged('removes nothing while the clocks differ')[0]).toMatchObject({ databaseAheadMs: -70_000 });
  });

  it('leaves it to whoever took it over, and survives faults', async () => {
    const outcomes: (RetentionStep | Error)[] = [
      new SluiceError('conflict', 'Somebody else removes what is too old'),
      new SluiceError('read_model_unavailable', 'The read model cannot be reached'),
      { kind: 'waiting' },
      { kind: 'done' },
    ];
    let claims = 0;
    const backlog = () => ({ policies: 0, overdueMs: 0 });
    const worker = start({
      claim: async () => {
        claims++;
        const outcome = outcomes.shift() ?? { kind: 'done' };
        const step = () => (outcome instanceof Error ? Promise.reject(outcome) : Promise.resolve(outcome));
        return { step, backlog, renew: async () => undefined, release: async () => undefined };
      },
    });
    await until(() => claims > 5, 'it goes on');
    await worker.stop();
    expect(await test.value('sluice_projector_faults_total{place="retention"}')).toBe(1);
  });
});

describe('/v1/admin/retention', () => {
  const OPERATOR_KEY = `sk_${'o'.repeat(43)}`;
  const PATH = '/v1/admin/retention';
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
  let host: AppHost;
  let service: Service;
  let url: string;
  beforeEach(async () => {
    host = createAppHost(toHostConfig('projector', values));
    service = serveParts(host, [await createProjectorPart(host, toProjectorConfig(values))]);
    ({ url } = await service.start());
  });
  afterEach(() => service.destroy());

  const call = (method: string, json?: unknown, query = '') =>
    send(url, PATH + query, { method, key: OPERATOR_KEY, ...(json === undefined ? {} : { json }) });
  const DAY_SECONDS = 86_400;

  it('sets, lists and removes policies', async () => {
    expect((await call('GET')).body).toEqual({ policies: [] });
    const set = await call('PUT', { family: 'session', maxAgeSeconds: DAY_SECONDS });
    const view = { family: 'session', maxAgeSeconds: DAY_SECONDS, changedAt: expect.any(Number), removedEvents: 0 };
    expect(set).toMatchObject({ status: 200, body: { policy: view } });
    await call('PUT', { workspaceId: 7, family: 'session', maxAgeSeconds: null });
    expect((await call('GET')).body).toEqual({
      policies: [view, { ...view, workspaceId: 7, maxAgeSeconds: null }],
    });
    expect((await call('DELETE', undefined, '?workspaceId=7&family=session')).body).toEqual({ removed: true });
    expect((await call('DELETE', undefined, '?workspaceId=7&family=session')).body).toEqual({ removed: false });
    expect((await call('DELETE', undefined, '?family=session')).body).toEqual({ removed: true });
    expect((await call('GET')).body).toEqual({ policies: [] });
  });

  it.each<[string, unknown]>([
    ['an age below an hour', { family: 'session', maxAgeSeconds: 3_599 }],
    ['an age of half a second more', { family: 'session', maxAgeSeconds: 3_600.5 }],
    ['no age', { family: 'session' }],
    ['no family', { maxAgeSeconds: DAY_SECONDS }],
    ['another family', { family: 'weather', maxAgeSeconds: DAY_SECONDS }],
    ['a negative workspace', { workspaceId: -1, family: 'session', maxAgeSeconds: DAY_SECONDS }],
    ['something else', { family: 'session', maxAgeSeconds: DAY_SECONDS, force: true }],
  ])('refuses %s', async (_, body) => {
    expect((await call('PUT', body)).status).toBe(400);
    expect((await call('GET')).body).toEqual({ policies: [] });
  });

  it('is for operators alone (G8)', async () => {
    const keys = await host.engine.apiKeys();
    const { apiKey: key } = await issueApiKey(keys, { workspaceId: 7, role: 'admin', name: 'of a workspace' });
    const body = { workspaceId: 7, family: 'session', maxAgeSeconds: null };
    expect((await send(url, PATH, { method: 'PUT', key, json: body })).status).toBe(403);
    expect((await send(url, PATH, { method: 'GET', key })).status).toBe(403);
    expect((await send(url, PATH, { method: 'PUT', json: body })).status).toBe(401);
    expect((await call('GET')).body).toEqual({ policies: [] });
  });
});
