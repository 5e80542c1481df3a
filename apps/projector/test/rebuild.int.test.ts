import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppHost } from '@sluice/engine';
import { BEFORE_FIRST, type RebuildPositions, type StartPlace } from '@sluice/event-log';
import { until } from '@sluice/event-log/conformance';
import { startLocalPostgres, type LocalPostgres } from '@sluice/local-postgres';
import { TEST_STREAM_BYTES, testBrokers } from './config';
import { Replica } from './replica';
import { envelope, range } from './tools';

const ENTITIES = 7;
const FIRST_EVENTS = 3_000;
const FILTER = { workspaceIds: [1] };

/** Everything that a subscriber is told. */
class Reader {
  readonly ids: string[] = [];
  readonly positions: number[] = [];
  readonly resets: string[] = [];
  private readonly closing = new AbortController();

  static async start(host: AppHost, start: StartPlace): Promise<Reader> {
    const reader = new Reader();
    const { signal } = reader.closing;
    const subscription = await (await host.feed()).subscribe({ filter: FILTER, start, signal });
    if (subscription.reset) reader.resets.push(subscription.reset.reason);
    void (async () => {
      for await (const item of subscription) {
        if (item.kind === 'reset') reader.resets.push(item.reason);
        if (item.kind === 'end') reader.resets.push(item.reason);
        if (item.kind !== 'events') continue;
        for (const { event } of item.events) {
          reader.ids.push(event.id);
          reader.positions.push(event.position);
        }
      }
    })();
    return reader;
  }

  close(): void {
    this.closing.abort();
  }
}

/** Appends event after event, and remembers what was acknowledged. */
class Writer {
  readonly acknowledged: string[] = [];
  private stopping = false;
  private running: Promise<void> | undefined;

  constructor(private readonly host: AppHost) {}

  async append(count: number): Promise<void> {
    const n = this.acknowledged.length;
    const events = range(1, count).map((m) =>
      envelope({ entityId: `sandbox-${(n + m) % ENTITIES}`, data: { n: n + m } }),
    );
    await (await this.host.engine.durableLog()).append(events);
    this.acknowledged.push(...events.map(({ event }) => event.id));
  }

  start(): void {
    this.running = (async () => {
      while (!this.stopping) await this.append(5);
    })();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    await this.running;
  }
}

describe.each(['embedded', 'cluster'] as const)('a rebuild on the %s engine', (engine) => {
  let postgres: LocalPostgres;
  let dataDir: string;
  let replicas: Replica[];
  let env: Record<string, string>;

  beforeAll(async () => {
    dataDir = await mkdtemp(join(tmpdir(), 'sluice-rebuild-'));
    // As root, PostgreSQL runs as another user, who has to come here.
    await chmod(dataDir, 0o755);
    postgres = await startLocalPostgres({ dataDir });
    const { kafkaBrokers, natsUrl } = testBrokers();
    env = {
      SLUICE_ENGINE: engine,
      SLUICE_DATABASE_URL: postgres.databaseUrl,
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_KAFKA_BROKERS: kafkaBrokers,
      SLUICE_KAFKA_PARTITIONS: '3',
      SLUICE_NATS_URL: natsUrl,
      SLUICE_BROKER_PREFIX: `rebuild-${crypto.randomUUID()}`,
      SLUICE_DELIVERY_MAX_BYTES: TEST_STREAM_BYTES,
    };
    replicas = [];
    // Followers of the embedded engine hear of each other in one process only.
    for (let n = 0; n < (engine === 'cluster' ? 2 : 1); n++) replicas.push(await Replica.start(env));
  });
  afterAll(async () => {
    for (const replica of replicas) await replica.stop();
    await postgres.stop();
    await rm(dataDir, { recursive: true, force: true });
  });

  const first = () => {
    const [replica] = replicas;
    if (!replica) throw new Error('no replica runs');
    return replica.host;
  };
  const request = async (positions: RebuildPositions) => {
    const rebuilds = await first().engine.readModelRebuilds();
    await rebuilds.request({ positions, dropOld: true });
    return {
      switched: () =>
        until(async () => {
          const status = await rebuilds.status();
          if (status?.state === 'failed') throw new Error(status.fault);
          return status?.state === 'switched' && !status.oldModelKept;
        }, 'the rebuilt model is the live one'),
      isBuilding: () =>
        until(async () => {
          const status = await rebuilds.status();
          return status?.holder !== undefined || status?.finishedAt !== undefined;
        }, 'somebody builds'),
    };
  };

  it('shows every event once and in order to those who read and write meanwhile, and resets nobody (G2, G4, G10)', async () => {
    const writer = new Writer(first());
    await writer.append(FIRST_EVENTS);
    const reader = await Reader.start(first(), 'earliest');
    const model = await first().engine.readModel();
    await until(() => reader.ids.length >= FIRST_EVENTS, 'all is told');
    const { epoch } = await model.head();
    writer.start();
    const rebuild = await request('keep');
    await rebuild.switched();
    const atSwitch = writer.acknowledged.length;
    await until(() => writer.acknowledged.length > atSwitch + 50, 'writing goes on');
    await writer.stop();
    const total = writer.acknowledged.length;
    await until(() => reader.ids.length >= total, 'all is told');
    expect(new Set(reader.ids)).toEqual(new Set(writer.acknowledged));
    expect(reader.positions).toEqual(range(1, total));
    expect(reader.resets).toEqual([]);
    expect(await model.head()).toEqual({ epoch, position: total });
    // From the new model, and with the cursor of before.
    const resumed = await Reader.start(first(), { epoch, position: BEFORE_FIRST });
    await until(() => resumed.ids.length >= total, 'all is told again');
    expect(resumed.ids).toEqual(reader.ids);
    expect(resumed.resets).toEqual([]);
    for (const each of [reader, resumed]) each.close();
  });

  it('numbers anew where it is told to, and answers every cursor by a reset (G5, G10)', async () => {
    const model = await first().engine.readModel();
    const before = await model.head();
    const writer = new Writer(first());
    const reader = await Reader.start(first(), before);
    writer.start();
    const rebuild = await request('renumber');
    await rebuild.switched();
    await until(() => reader.resets.length > 0, 'the reader is told');
    await until(
      async () => (await model.head()).position >= before.position + writer.acknowledged.length / 2,
      'it goes on',
    );
    await writer.stop();
    const total = before.position + writer.acknowledged.length;
    await until(async () => (await model.head()).position >= total, 'all is recorded');
    expect(reader.resets).toEqual(['epoch_changed']);
    const resumed = await Reader.start(first(), before);
    expect(resumed.resets).toEqual(['epoch_changed']);
    const whole = await Reader.start(first(), 'earliest');
    await until(() => whole.ids.length >= total, 'all is told');
    expect(whole.positions).toEqual(range(1, total));
    expect(new Set(whole.ids).size).toBe(total);
    for (const each of [reader, resumed, whole]) each.close();
  });

  if (engine === 'cluster') {
    it('goes on in another process when the one that builds ends (G6, G10)', async () => {
      const writer = new Writer(first());
      writer.start();
      const rebuild = await request('keep');
      await rebuild.isBuilding();
      const last = replicas.pop();
      await last?.stop();
      await rebuild.switched();
      await writer.stop();
      replicas.push(await Replica.start(env));
    });
  }
});
