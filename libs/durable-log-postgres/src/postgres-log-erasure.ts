import {
  recordOfEntity,
  SluiceError,
  spellingsOf,
  type BegunErasure,
  type LogEntity,
  type LogErasure,
} from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import type { Pool, PoolClient } from 'pg';
import { MAX_READ_BYTES, SCAN_RECORDS } from './options';
import type { LogStatements } from './sql';
import { logUnavailable } from './unavailable';

export interface PostgresLogErasureOptions {
  readonly pool: Pool;
  readonly statements: LogStatements;
  /** Where the log ends. */
  end(): Promise<number>;
  append(events: readonly EncodedEnvelope[]): Promise<void>;
}

/** A record that may be about the entity. */
interface ScannedRow {
  readonly index: string;
  readonly value: Buffer;
  /** How many there were in this part of the log, with those that were too much for one read. */
  readonly found: string;
}

/**
 * Erases in place: what is kept gets its text where it is, the rest leaves a hole. All of the table is looked through, in
 * bounded steps; a table of this session has what is to be kept, so that a connection that is lost leaves nothing behind. The
 * mark is where the log ended.
 */
export class PostgresLogErasure implements LogErasure {
  readonly refusal = undefined;

  constructor(private readonly options: PostgresLogErasureOptions) {}

  async begin(): Promise<BegunErasure> {
    return { mark: String(await this.options.end()), readyAt: Date.now() };
  }

  async readersForgetMs(): Promise<number> {
    return 0;
  }

  async isReady(): Promise<boolean> {
    return true;
  }

  async finish(
    entity: LogEntity,
    mark: string,
    kept: AsyncIterable<readonly EncodedEnvelope[]>,
    confirm?: () => Promise<void>,
  ): Promise<void> {
    if (!/^\d{1,15}$/.test(mark)) throw new SluiceError('conflict', 'No erasure of this log has this mark');
    await this.onConnection(async (client) => {
      const { statements } = this.options;
      await client.query(statements.makeKept);
      for await (const events of kept) {
        await client.query(statements.keep, [events.map(({ event }) => event.id), events.map(({ json }) => json)]);
      }
      await this.scan(client, entity, Number(mark), confirm);
      await this.appendLacking(client);
      await client.query(statements.dropKept);
    });
  }

  private async scan(
    client: PoolClient,
    entity: LogEntity,
    below: number,
    confirm?: () => Promise<void>,
  ): Promise<void> {
    const { statements, end } = this.options;
    const spellings = spellingsOf(entity.entityId).map((spelling) => Buffer.from(spelling));
    const upTo = await end();
    for (let from = 0; from < upTo;) {
      const next = Math.min(from + SCAN_RECORDS, upTo);
      const parameters = [from, next, spellings, MAX_READ_BYTES];
      const { rows } = await client.query<ScannedRow>(statements.scan, parameters);
      await this.eraseRows(client, entity, below, rows, confirm);
      const last = rows.at(-1);
      from = last && Number(last.found) > rows.length ? Number(last.index) + 1 : next;
    }
  }

  private async eraseRows(
    client: PoolClient,
    entity: LogEntity,
    below: number,
    rows: readonly ScannedRow[],
    confirm?: () => Promise<void>,
  ): Promise<void> {
    const [indexes, ids]: [number[], (string | null)[]] = [[], []];
    for (const { index, value } of rows) {
      const about = recordOfEntity(value, entity);
      if (about.kind === 'other') continue;
      indexes.push(Number(index));
      ids.push(about.kind === 'event' ? about.eventId : null);
    }
    if (indexes.length === 0) return;
    await confirm?.();
    // One statement, and so all of these or none.
    await client.query(this.options.statements.erase, [indexes, ids, below]);
  }

  /** Of what is to be kept, what the log has nowhere. */
  private async appendLacking(client: PoolClient): Promise<void> {
    for (let after = 0; ;) {
      const { rows } = await client.query<{ number: number; id: string; text: string }>(
        this.options.statements.lacking,
        [after, MAX_READ_BYTES],
      );
      const last = rows.at(-1);
      if (!last) return;
      await this.options.append(
        rows.map(({ text }) => ({ event: JSON.parse(text) as EncodedEnvelope['event'], json: text })),
      );
      after = last.number;
    }
  }

  private async onConnection(work: (client: PoolClient) => Promise<void>): Promise<void> {
    let failure: Error | undefined;
    let client: PoolClient | undefined;
    // The statement in hand rejects as well; without a listener the event would end the process.
    const ignore = () => undefined;
    try {
      client = await this.options.pool.connect();
      client.on('error', ignore);
      await work(client);
    } catch (error) {
      failure = error instanceof Error ? error : new Error(String(error));
      if (error instanceof SluiceError) throw error;
      throw logUnavailable('The database could not be used', error);
    } finally {
      client?.off('error', ignore);
      // With an error the connection is thrown away, and its table with it.
      client?.release(failure);
    }
  }
}
