import { createAppHost, serveParts, toHostConfig, type AppHost, type AppPart } from '@sluice/engine';
import type { FollowLogOptions, Lane, MemoryDurableLog, RecordedWitness } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { entityKey } from '@sluice/event-schema';
import { parseSettings, readEnv } from '@sluice/service-runtime';
import { settings, toProjectorConfig } from '../src/config';
import { createProjectorPart } from '../src/projector-part';
import { Projector } from '../src/projector';
import { envelope, range, TestSignals } from './tools';

const values = parseSettings(
  settings,
  readEnv(settings, {
    SLUICE_ENGINE: 'memory',
    SLUICE_HTTP_HOST: '127.0.0.1',
    SLUICE_HTTP_PORT: '0',
    SLUICE_LOG_LEVEL: 'silent',
    SLUICE_PROJECTOR_MAX_BATCH: '64',
  }),
);

describe('the projector app', () => {
  let host: AppHost;
  let running: AppPart[];
  beforeEach(() => {
    host = createAppHost(toHostConfig('projector', values));
    running = [];
  });
  afterEach(async () => {
    for (const part of running) await stop(part);
    await host.close();
  });

  async function start(): Promise<AppPart> {
    const part = await createProjectorPart(host, toProjectorConfig(values));
    for (const worker of part.workers ?? []) await worker.start();
    running.push(part);
    return part;
  }
  async function stop(part: AppPart): Promise<void> {
    for (const worker of [...(part.workers ?? [])].reverse()) await worker.stop();
  }
  const log = async () => (await host.engine.durableLog()) as MemoryDurableLog;
  const appendRaw = async (text: string) => (await log()).appendRaw('sandbox/x', new TextEncoder().encode(text));
  const allRecorded = async () => {
    const model = await host.engine.readModel();
    const { position } = await model.head();
    return (await model.readAll({ after: 0 as typeof position, upTo: position, limit: 100_000 })).events;
  };
  async function published(): Promise<number[]> {
    const positions: number[] = [];
    const deliveryLog = await host.engine.deliveryLog();
    await deliveryLog.follow({ onRun: ({ events }) => positions.push(...events.map(({ event }) => event.position)) });
    return positions;
  }

  it('records and publishes everything once, in the order of each entity, whatever lies between (G2, G4, G7)', async () => {
    const positions = await published();
    const durableLog = await log();
    await start();
    let poison = 0;
    for (const n of range(1, 2_000)) {
      const event = envelope({ entityId: `sandbox-${n % 7}`, data: { n } });
      await durableLog.append(n % 50 === 0 ? [event, event] : [event]);
      if (n % 11 === 0) {
        poison++;
        durableLog.appendRaw(entityKey(event.event), new TextEncoder().encode(`{"poison":${n}`));
      }
    }
    await until(() => positions.length >= 2_000, 'all are published');
    expect(positions).toEqual(range(1, 2_000));
    const events = (await allRecorded()).map(({ event }) => event);
    expect(events.map(({ position }) => position)).toEqual(range(1, 2_000));
    for (const entity of range(0, 6)) {
      const own = events.filter(({ entityId }) => entityId === `sandbox-${entity}`);
      expect(own.map(({ data }) => data['n'])).toEqual(range(1, 2_000).filter((n) => n % 7 === entity));
      expect(own.map(({ entitySequence }) => entitySequence)).toEqual(range(1, own.length));
    }
    const { parked } = await host.engine.readModel();
    await until(async () => (await parked.count()) === poison, 'all poison is parked');
  });

  it('goes on where it stopped, and where another one stopped (G6)', async () => {
    const positions = await published();
    const durableLog = await log();
    let total = 0;
    for (const _ of range(1, 4)) {
      await durableLog.append(range(1, 50).map((n) => envelope({ entityId: `sandbox-${n % 5}` })));
      const part = await start();
      await durableLog.append(range(1, 50).map((n) => envelope({ entityId: `sandbox-${n % 5}` })));
      total += 100;
      await until(async () => (await allRecorded()).length >= total, 'all are recorded');
      await stop(part);
      expect(positions).toEqual(range(1, total));
    }
  });

  it('runs several times at once: one works, one publishes, and the next takes over', async () => {
    const positions = await published();
    const durableLog = await log();
    const parts = [await start(), await start(), await start()];
    for (const [gone, part] of parts.entries()) {
      await durableLog.append(range(1, 30).map(() => envelope()));
      await until(() => positions.length >= (gone + 1) * 30, 'all are published');
      await stop(part);
    }
    expect(positions).toEqual(range(1, 90));
  });

  it('serves health, readiness and its metrics, and nothing else', async () => {
    const service = serveParts(host, [await createProjectorPart(host, toProjectorConfig(values))]);
    const { url } = await service.start();
    await (await log()).append(range(1, 5).map(() => envelope()));
    await appendRaw('poison');
    const get = async (path: string) => (await fetch(url + path)).text();
    await until(async () => /^sluice_parked_records 1$/m.test(await get('/metrics')), 'lag and parked are measured');
    const metrics = await get('/metrics');
    for (const line of [
      'sluice_projection_lag_events 0',
      'sluice_projection_lag_seconds 0',
      'sluice_projector_recorded_events_total 5',
      'sluice_projector_published_events_total 5',
      'sluice_projector_publisher_active 1',
      'sluice_projector_parked_records_total{reason="not_json"} 1',
    ]) {
      expect(metrics).toContain(`\n${line}\n`);
    }
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    expect((await fetch(`${url}/events`)).status).toBe(404);
    await service.destroy();
  });

  it('looks whether what it recorded is lost when it has loaded checkpoints anew, before it records again (G4)', async () => {
    const model = await host.engine.readModel();
    const durableLog = await log();
    let followed: FollowLogOptions | undefined;
    let looked = 0;
    const projector = new Projector({
      durableLog: Object.assign(Object.create(durableLog) as MemoryDurableLog, {
        follow: (options: FollowLogOptions) => {
          followed = options;
          return Promise.resolve({ stop: () => Promise.resolve() });
        },
      }),
      readModel: Object.assign(Object.create(model) as typeof model, {
        beginEpochIfLost: (witness: RecordedWitness) => {
          looked++;
          return model.beginEpochIfLost(witness);
        },
      }),
      publisher: { offer: () => undefined },
      signals: new TestSignals().signals,
      maxBatchRecords: 10,
    });
    await projector.start();
    const lane = 0 as Lane;
    const handle = (index: number) => {
      const value = new TextEncoder().encode(envelope().json);
      const records = [{ lane, index, value, appendedAt: 1 }];
      return followed?.handle({ records, checkpoints: new Map([[lane, { from: index, to: index + 1 }]]) });
    };
    await followed?.loadCheckpoints([lane]);
    await handle(0);
    await handle(1);
    expect(looked).toBe(0);
    // As after a rebalance, or by a consumer that was opened anew.
    await followed?.loadCheckpoints([lane]);
    await handle(2);
    await handle(3);
    expect(looked).toBe(1);
    await projector.stop();
  });

  it('measures lag while the read model is away, one question at a time, and recovers by itself (G6, G9)', async () => {
    const model = await host.engine.readModel();
    const durableLog = await log();
    const test = new TestSignals();
    let isAway = true;
    let asking = 0;
    let mostAsking = 0;
    const projector = new Projector({
      durableLog: {
        follow: (options) => durableLog.follow(options),
        ends: () => {
          mostAsking = Math.max(mostAsking, ++asking);
          return durableLog.ends();
        },
      },
      readModel: new Proxy(model, {
        get: (target, name) => {
          if (name === 'record' && isAway) return () => Promise.reject(new Error('away'));
          const value: unknown = Reflect.get(target, name, target);
          if (name !== 'parked' && typeof value === 'function') return value.bind(target);
          return value;
        },
      }),
      publisher: { offer: () => undefined },
      signals: {
        ...test.signals,
        lag: (...measured) => {
          test.signals.lag(...measured);
          asking--;
        },
      },
      maxBatchRecords: 10,
      lagIntervalMs: 5,
    });
    await projector.start();
    const lag = () => test.value('sluice_projection_lag_events');
    await durableLog.append(range(1, 25).map(() => envelope()));
    await until(async () => (await lag()) === 25, 'the lag is seen');
    await until(async () => (await test.value('sluice_projection_lag_seconds')) > 0, 'its age is seen');
    expect(await test.value('sluice_projector_faults_total{place="follow"}')).toBeGreaterThan(0);
    isAway = false;
    await until(async () => (await lag()) === 0, 'it catches up');
    expect(await test.value('sluice_projection_lag_seconds')).toBe(0);
    expect(mostAsking).toBe(1);
    expect((await model.head()).position).toBe(25);
    await projector.stop();
  });
});
