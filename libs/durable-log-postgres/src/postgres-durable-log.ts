import {
  AppendBatcher,
  FollowLoop,
  type DurableLog,
  type FollowLogOptions,
  type Lane,
  type LaneCheckpoints,
  type LogFollower,
  type LogRecord,
} from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { Pool, type ClientConfig } from 'pg';
import { GroupSession } from './group-session';
import {
  APPEND_LIMITS,
  CHECK_TIMEOUT_MS,
  CONNECT_TIMEOUT_MS,
  DEFAULT_POOL_SIZE,
  DEFAULT_SCHEMA,
  MAX_READ_BYTES,
  STATEMENT_TIMEOUT_MS,
  type PostgresDurableLogOptions,
} from './options';
import { PostgresLogErasure } from './postgres-log-erasure';
import { ReadAhead } from './read-ahead';
import { LOCK_IN_TRANSACTION, logStatements, type LogStatements } from './sql';
import { logUnavailable } from './unavailable';

/** The log has one lane: PostgreSQL is one writer's machine, and one order of everything is the simplest to follow. */
const LANE = 0 as Lane;

/** DurableLog on a table of PostgreSQL. Appends are committed in groups, with the database's full durability. */
export class PostgresDurableLog implements DurableLog {
  readonly erasure: PostgresLogErasure;
  private readonly schema: string;
  private readonly statements: LogStatements;
  private readonly clientConfig: ClientConfig;
  private readonly pool: Pool;
  private readonly batcher: AppendBatcher<EncodedEnvelope>;
  private readonly followers = new Map<FollowLoop, GroupSession>();
  private readonly writerId = crypto.randomUUID();
  private closed: Promise<void> | undefined;
  private lastAppendFailed = false;

  /** @throws RangeError for an unusable schema name */
  constructor(private readonly options: PostgresDurableLogOptions) {
    const { databaseUrl, schema = DEFAULT_SCHEMA, poolSize = DEFAULT_POOL_SIZE, limits } = options;
    this.schema = schema;
    this.statements = logStatements(schema);
    this.clientConfig = {
      connectionString: databaseUrl,
      application_name: `sluice-${schema}`,
      connectionTimeoutMillis: CONNECT_TIMEOUT_MS,
      statement_timeout: STATEMENT_TIMEOUT_MS,
      query_timeout: STATEMENT_TIMEOUT_MS + 1_000,
      keepAlive: true,
    };
    this.pool = new Pool({ ...this.clientConfig, max: poolSize });
    this.pool.on('error', (error) => options.onFault?.(logUnavailable('An idle connection was lost', error)));
    this.batcher = new AppendBatcher({
      ...APPEND_LIMITS,
      ...limits,
      send: (events) => this.store(events),
      sizeOf: ({ json }) => Buffer.byteLength(json),
      onQueue: (queued) => options.onQueue?.(queued),
      onBatch: (batch) => options.onBatch?.(batch),
    });
    this.erasure = new PostgresLogErasure({
      pool: this.pool,
      statements: this.statements,
      end: async () => (await this.ends()).get(LANE) ?? 0,
      append: (events) => this.append(events),
    });
  }

  /** Creates what is missing in the database. Safe with any number of processes at once. @throws SluiceError `log_unavailable` */
  async prepare(): Promise<void> {
    try {
      const { rows } = await this.pool.query<{ exists: boolean }>(this.statements.exists);
      if (rows[0]?.exists) return;
      const client = await this.pool.connect();
      // The statement in hand rejects as well; without a listener the event would end the process.
      const ignore = () => undefined;
      client.on('error', ignore);
      let failure: Error | undefined;
      try {
        await client.query('BEGIN');
        await client.query(LOCK_IN_TRANSACTION, [`${this.schema}/create`]);
        await client.query(this.statements.create);
        await client.query('COMMIT');
      } catch (error) {
        failure = error instanceof Error ? error : new Error(String(error));
        throw error;
      } finally {
        client.off('error', ignore);
        // With an error the connection is thrown away, and the transaction with it.
        client.release(failure);
      }
    } catch (error) {
      throw logUnavailable('The tables of the log cannot be made', error);
    }
  }

  append(events: readonly EncodedEnvelope[]): Promise<void> {
    return this.batcher.append(events);
  }

  /** One follower of a group is active, among all processes; the others stand by until it stops or its connection is lost. */
  follow(options: FollowLogOptions): Promise<LogFollower> {
    if (this.closed) return Promise.reject(logUnavailable('The log is closed'));
    const ahead = new ReadAhead((from, maxRecords) => this.read(from, maxRecords));
    const loop = new FollowLoop(
      options,
      {
        read: async (checkpoints, maxRecords) =>
          session.active ? ahead.read(checkpoints.get(LANE) ?? 0, maxRecords) : undefined,
        ends: () => this.ends(),
      },
      [LANE],
    );
    const session = new GroupSession({
      clientConfig: this.clientConfig,
      channel: this.statements.channel,
      listen: this.statements.listen,
      lockName: `${this.schema}/group/${options.group}`,
      writerId: this.writerId,
      onHint: () => loop.wake(),
      onActive: () => loop.takeOver(),
      onFault: (error) => {
        const fault = logUnavailable('A follower lost its connection', error);
        options.onFault?.(fault);
        this.options.onFault?.(fault);
      },
    });
    this.followers.set(loop, session);
    loop.start();
    return Promise.resolve({ stop: () => this.stop(loop) });
  }

  async ends(): Promise<LaneCheckpoints> {
    const rows = await this.query<{ next_index: string }>('end', this.statements.end, []);
    return new Map([[LANE, Number(rows[0]?.next_index ?? 0)]]);
  }

  async starts(): Promise<LaneCheckpoints> {
    const rows = await this.query<{ first_index: string }>('start', this.statements.start, []);
    return new Map([[LANE, Number(rows[0]?.first_index ?? 0)]]);
  }

  /** Answers within two seconds. */
  async check(): Promise<void> {
    if (this.closed) throw logUnavailable('The log is closed');
    let timer: NodeJS.Timeout | undefined;
    const timeout = new Promise<never>((_, reject) => {
      timer = setTimeout(() => reject(logUnavailable('The database does not answer')), CHECK_TIMEOUT_MS);
    });
    await Promise.race([this.ends(), timeout]).finally(() => clearTimeout(timer));
  }

  close(): Promise<void> {
    this.closed ??= this.closeOnce();
    return this.closed;
  }

  private async closeOnce(): Promise<void> {
    await this.batcher.close();
    await Promise.all([...this.followers.keys()].map((loop) => this.stop(loop)));
    await this.pool.end();
  }

  private async stop(loop: FollowLoop): Promise<void> {
    await loop.stop();
    await this.followers.get(loop)?.close();
    this.followers.delete(loop);
  }

  private async store(events: readonly EncodedEnvelope[]): Promise<void> {
    // While closing, a database that is gone must not be tried once for each batch.
    if (this.closed && this.lastAppendFailed) throw logUnavailable('The log is closed');
    this.lastAppendFailed = true;
    // An encoded envelope is one line, so line breaks can part them.
    const lines = events.map(({ json }) => json).join('\n');
    const parameters = [lines, events.length, this.writerId];
    const rows = await this.query<{ stored: number }>('append', this.statements.append, parameters);
    if (rows[0]?.stored !== events.length) throw logUnavailable('The log has lost its counter row');
    this.lastAppendFailed = false;
    for (const loop of this.followers.keys()) loop.wake();
  }

  private async read(from: number, maxRecords: number): Promise<readonly LogRecord[]> {
    const rows = await this.query<{ index: string; value: Buffer; appended_at_ms: string }>(
      'read',
      this.statements.read,
      [from, maxRecords, MAX_READ_BYTES],
    );
    return rows.map(({ index, value, appended_at_ms: appendedAt }) => ({
      lane: LANE,
      index: Number(index),
      value,
      appendedAt: Number(appendedAt),
    }));
  }

  private async query<Row extends object>(name: string, text: string, values: unknown[]): Promise<Row[]> {
    try {
      return (await this.pool.query<Row>({ name, text, values })).rows;
    } catch (error) {
      throw logUnavailable('The database could not be used', error);
    }
  }
}

/** Opens the log and creates its tables where they are missing. @throws SluiceError `log_unavailable`; RangeError for the schema name */
export async function openPostgresDurableLog(options: PostgresDurableLogOptions): Promise<PostgresDurableLog> {
  const log = new PostgresDurableLog(options);
  try {
    await log.prepare();
    return log;
  } catch (error) {
    await log.close();
    throw error;
  }
}
