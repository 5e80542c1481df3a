import { decodeUtf8, type FollowLogOptions, type Lane, type LogRecord } from '@sluice/event-log';
import { Client } from 'pg';
import type { PostgresDurableLogOptions } from '../options';
import { openPostgresDurableLog, type PostgresDurableLog } from '../postgres-durable-log';
import { testDatabaseUrl } from './config';

let lastName = 0;

/** One log in a schema of its own, with every client that a test opens on it. */
export class TestLog {
  readonly schema = `test_${process.pid}_${Date.now().toString(36)}_${++lastName}`;
  private readonly opened: PostgresDurableLog[] = [];

  private constructor(readonly client: Client) {}

  static async create(): Promise<TestLog> {
    const client = new Client({ connectionString: testDatabaseUrl() });
    await client.connect();
    return new TestLog(client);
  }

  async open(overrides: Partial<PostgresDurableLogOptions> = {}): Promise<PostgresDurableLog> {
    const log = await openPostgresDurableLog({ databaseUrl: testDatabaseUrl(), schema: this.schema, ...overrides });
    this.opened.push(log);
    return log;
  }

  async indexes(): Promise<number[]> {
    const { rows } = await this.client.query<{ index: string }>(
      `SELECT index FROM ${this.schema}.records ORDER BY index`,
    );
    return rows.map(({ index }) => Number(index));
  }

  /** Ends all connections of this log at the server, as an administrator would. */
  async terminateBackends(): Promise<number> {
    const { rowCount } = await this.client.query(
      'SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE application_name = $1',
      [`sluice-${this.schema}`],
    );
    return rowCount ?? 0;
  }

  async destroy(): Promise<void> {
    await Promise.all(this.opened.map((log) => log.close()));
    await this.client.query(`DROP SCHEMA IF EXISTS ${this.schema} CASCADE`);
    await this.client.end();
  }
}

/** What a projector keeps: records by index, and how far it has come. */
export class Projection {
  readonly records: LogRecord[] = [];
  readonly batchSizes: number[] = [];
  readonly checkpoints = new Map<Lane, number>();

  options(overrides: Partial<FollowLogOptions> = {}): FollowLogOptions {
    return {
      group: 'projector',
      maxBatchRecords: 1_000,
      loadCheckpoints: async () => new Map(this.checkpoints),
      handle: async ({ records, checkpoints }) => {
        this.batchSizes.push(records.length);
        this.records.push(...records);
        for (const [lane, { to }] of checkpoints) this.checkpoints.set(lane, to);
      },
      ...overrides,
    };
  }

  get indexes(): number[] {
    return this.records.map(({ index }) => index);
  }

  get texts(): string[] {
    return this.records.map(({ value }) => decodeUtf8(value));
  }
}

export function range(count: number): number[] {
  return Array.from({ length: count }, (_, n) => n);
}
