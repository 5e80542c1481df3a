import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { AppHost } from '@sluice/engine';
import { SluiceError, type RebuildPositions } from '@sluice/event-log';
import { readTexts, until } from '@sluice/event-log/conformance';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { runStatement, startLocalPostgres, tablesWith, type LocalPostgres } from '@sluice/local-postgres';
import { TEST_STREAM_BYTES, testBrokers } from './config';
import { openHost, Replica } from './replica';

export type TestedEngine = 'embedded' | 'cluster';
export type TestedPostgres = Pick<LocalPostgres, 'databaseUrl' | 'stop'>;

/** Replicas of the projector with real brokers, and a PostgreSQL of their own. */
export class EngineWorld<P extends TestedPostgres = LocalPostgres> {
  private replicas: Replica[] = [];

  private constructor(
    readonly engine: TestedEngine,
    /** The settings of its processes. */
    readonly env: Readonly<Record<string, string>>,
    readonly postgres: P,
    private readonly dataDir: string,
  ) {}

  /** @param settings more of the environment */
  static start(engine: TestedEngine, settings: Readonly<Record<string, string>> = {}): Promise<EngineWorld> {
    return EngineWorld.startOn((dataDir) => startLocalPostgres({ dataDir }), engine, settings);
  }

  /** @param startPostgres with a folder of its own, which is removed in the end */
  static async startOn<P extends TestedPostgres>(
    startPostgres: (dataDir: string) => Promise<P>,
    engine: TestedEngine,
    settings: Readonly<Record<string, string>> = {},
  ): Promise<EngineWorld<P>> {
    const dataDir = await mkdtemp(join(tmpdir(), 'sluice-projector-'));
    // As root, PostgreSQL runs as another user, who has to come here.
    await chmod(dataDir, 0o755);
    const postgres = await startPostgres(dataDir);
    const { kafkaBrokers, natsUrl } = testBrokers();
    const env = {
      SLUICE_ENGINE: engine,
      SLUICE_DATABASE_URL: postgres.databaseUrl,
      SLUICE_LOG_LEVEL: 'silent',
      SLUICE_KAFKA_BROKERS: kafkaBrokers,
      SLUICE_KAFKA_PARTITIONS: '3',
      SLUICE_NATS_URL: natsUrl,
      SLUICE_BROKER_PREFIX: `projector-${crypto.randomUUID()}`,
      SLUICE_DELIVERY_MAX_BYTES: TEST_STREAM_BYTES,
      ...settings,
    };
    return new EngineWorld(engine, env, postgres, dataDir);
  }

  /** The ports of one more replica, which runs until `stopReplicas`; maybe without some of its workers. */
  async replica(...without: readonly string[]): Promise<AppHost> {
    const replica = await Replica.start({ ...this.env }, without);
    this.replicas.push(replica);
    return replica.host;
  }

  /** Stops the one that was started last. */
  async stopReplica(): Promise<void> {
    await this.replicas.pop()?.stop();
  }

  /** Resolves when the log has the events. */
  async store(host: AppHost, events: readonly EncodedEnvelope[]): Promise<void> {
    const log = await host.engine.durableLog();
    // A slow machine may be too late for keys that grow old soon, and PostgreSQL, which has them, away: it is tried again.
    const isStored = () =>
      log.append(events).then(
        () => true,
        (error: unknown) => {
          if (error instanceof SluiceError && error.retryable) return false;
          throw error;
        },
      );
    await until(isStored, 'all is stored');
  }

  /** Resolves when the events are recorded. */
  async append(host: AppHost, events: readonly EncodedEnvelope[]): Promise<void> {
    await this.store(host, events);
    const model = await host.engine.readModel();
    const ids = events.map(({ event }) => event.id);
    await until(async () => (await model.findByIds(ids)).size === ids.length, 'all is recorded');
  }

  /** Rebuilds the read model, and drops the former one. */
  async rebuild(host: AppHost, positions: RebuildPositions = 'keep'): Promise<void> {
    await (await host.engine.readModelRebuilds()).request({ positions, dropOld: true });
    await this.rebuilt(host);
  }

  /** Resolves when the rebuild that was asked for is done, and the former model dropped. */
  async rebuilt(host: AppHost): Promise<void> {
    const rebuilds = await host.engine.readModelRebuilds();
    await until(async () => {
      const status = await rebuilds.status();
      if (status?.state === 'failed') throw new Error(status.fault);
      return status?.state === 'switched' && !status.oldModelKept;
    }, 'the rebuilt model is the live one');
  }

  /** Where a text is: in tables, in the planner's statistics, or in the log as a new reader finds it. */
  async placesOf(text: string): Promise<readonly string[]> {
    const tables = await tablesWith(this.postgres.databaseUrl, text);
    // The log of the embedded engine is one of them.
    if (this.engine === 'embedded') return tables;
    const stranger = openHost({ ...this.env });
    try {
      const log = await readTexts(await stranger.engine.durableLog());
      return log.some((record) => record.includes(text)) ? [...tables, 'the log'] : tables;
    } finally {
      await stranger.close();
    }
  }

  /** Lets the leases of erasures and rebuilds run out: whoever held them has ended, and tells nobody. */
  async endLeases(): Promise<void> {
    for (const table of ['erasures', 'rebuilds']) {
      const sql = `UPDATE maintenance.${table} SET expires_at = clock_timestamp() WHERE is_open`;
      await runStatement(this.postgres.databaseUrl, sql);
    }
  }

  async stopReplicas(): Promise<void> {
    for (const replica of this.replicas) await replica.stop();
    this.replicas = [];
  }

  async stop(): Promise<void> {
    await this.stopReplicas();
    await this.postgres.stop();
    await rm(this.dataDir, { recursive: true, force: true });
  }
}
