import {
  ProjectionFailed,
  SluiceError,
  targetsOf,
  type Lane,
  type LaneCheckpoints,
  type LogBounds,
  type RebuildBatch,
  type RebuildPositions,
  type RebuildRemainder,
  type RebuildWork,
  type SwitchOutcome,
} from '@sluice/event-log';
import { DatabaseError, escapeIdentifier, type Pool, type PoolClient } from 'pg';
import type { Queries } from '../database';
import { loadCheckpoints, recordInTransaction, type ProjectEvent } from '../record-transaction';
import { Prisma } from '../generated/client';
import { inTransaction, queriesOf } from '../transaction';
import { orRefused, orUnavailable } from '../unavailable';
import { copyKept, VARIANTS_TABLE } from './copy-kept';
import { copyStructure, tableNames } from './copy-structure';
import { carryRemoved, findHole, fillFromVariants } from './holes';
import { LACKING_TABLE, recordLacking } from './lacking';
import { LIVE, LIVE_SCHEMA, NEXT, NEXT_SCHEMA } from './model-schemas';
import { projectKept } from './project-kept';
import { rebuildLost, renewRebuild, type RebuildGrant } from './rebuild-row';
import { readRemainder } from './remainder';
import { removeKnownAsRemoved, waitForRemovals } from './removed';
import { isUpToDate, refuseDependents } from './structure';
import { haltMigrations, switchOver } from './switch-over';

/** The SQLSTATE of a lock that was not got within `lock_timeout`. */
export const LOCK_NOT_AVAILABLE = '55P03';

/** What undoes a transaction that came to nothing. */
class NothingChanged extends Error {
  constructor(readonly outcome: SwitchOutcome) {
    super(outcome);
  }
}

interface RebuildRow {
  readonly state: 'building' | 'aborting';
  readonly prepared: boolean;
  readonly projected: string;
}

/** Of copying and projecting neither waits for the other; whoever takes the rebuild over waits for both. */
const ROW_LOCKS = {
  copying: Prisma.raw('FOR KEY SHARE'),
  writing: Prisma.raw('FOR NO KEY UPDATE'),
  alone: Prisma.raw('FOR UPDATE'),
};
type RowLock = keyof typeof ROW_LOCKS;

/** RebuildWork in PostgreSQL: the model beside is a schema of its own. */
export class PostgresRebuildWork implements RebuildWork {
  readonly rebuildId: number;
  private analysed = false;

  constructor(
    private readonly pool: Pool,
    private readonly grant: RebuildGrant,
    readonly positions: RebuildPositions,
    private readonly projectEvent: ProjectEvent,
  ) {
    this.rebuildId = Number(grant.rebuildId);
  }

  prepare(): Promise<void> {
    return this.inRebuild('alone', (queries, client, row) => orRefused(() => this.makeModel(queries, client, row)));
  }

  private async makeModel(queries: Queries, client: PoolClient, row: RebuildRow): Promise<void> {
    if (!(await haltMigrations(client))) {
      throw new SluiceError('read_model_unavailable', 'Migrations are being applied');
    }
    await waitForRemovals(queries);
    await refuseDependents(client, LIVE_SCHEMA);
    if (row.prepared && (await isUpToDate(client))) return;
    this.analysed = false;
    await client.query(`DROP SCHEMA IF EXISTS ${NEXT_SCHEMA} CASCADE`);
    await copyStructure(client, LIVE_SCHEMA, NEXT_SCHEMA);
    await client.query(
      `CREATE TABLE ${NEXT_SCHEMA}.${VARIANTS_TABLE} (LIKE ${NEXT_SCHEMA}.recorded_events INCLUDING INDEXES)`,
    );
    await client.query(`
        CREATE TABLE ${NEXT_SCHEMA}.${LACKING_TABLE} (lane int, index bigint, envelope text NOT NULL, PRIMARY KEY (lane, index))`);
    // The single rows, as the migrations make them; an epoch of its own is for positions of its own.
    await queries.$executeRaw`
        INSERT INTO ${NEXT}.position_counter (id, epoch) VALUES (1, substr(md5(gen_random_uuid()::text), 1, 8))`;
    await queries.$executeRaw`INSERT INTO ${NEXT}.publisher_lease (id) VALUES (1)`;
    let projected = 0n;
    if (this.positions === 'keep') projected = await this.keepNumbering(queries);
    await queries.$executeRaw`
        UPDATE maintenance.rebuilds SET prepared = true, projected = ${projected}::bigint, left_out = 0
        WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
  }

  /** @returns the position before the first one that the live model knows of */
  private async keepNumbering(queries: Queries): Promise<bigint> {
    await queries.$executeRaw`
      UPDATE ${NEXT}.position_counter n SET epoch = l.epoch FROM ${LIVE}.position_counter l`;
    const [row] = await queries.$queryRaw<{ floor: string }[]>`
      SELECT coalesce(least((SELECT min(e.position) FROM ${LIVE}.recorded_events e),
        (SELECT min(m.position) FROM ${LIVE}.removed_events m)) - 1, c.last_position) AS floor
      FROM ${LIVE}.position_counter c`;
    return BigInt(row?.floor ?? 0);
  }

  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return orUnavailable(() => loadCheckpoints(queriesOf(this.pool), lanes, NEXT));
  }

  copy(batch: RebuildBatch): Promise<LaneCheckpoints> {
    // Does not wait for `project`, nor that for this one.
    if (this.positions === 'keep') return this.inRebuild('copying', (queries) => copyKept(queries, batch));
    return this.inRebuild('copying', async (queries) => {
      const envelopes = batch.events.map(({ envelope }) => envelope);
      await recordInTransaction(queries, { ...batch, envelopes }, this.projectEvent, NEXT);
      await removeKnownAsRemoved(
        queries,
        envelopes.map(({ event }) => event.id),
      );
      await queries.$executeRaw`
        UPDATE maintenance.rebuilds r SET projected = c.last_position FROM ${NEXT}.position_counter c
        WHERE r.rebuild_id = ${this.grant.rebuildId}::bigint`;
      return targetsOf(batch.checkpoints);
    });
  }

  project(): Promise<number> {
    if (this.positions === 'renumber') return Promise.resolve(0);
    return this.inRebuild('writing', async (queries, _client, row) => {
      const { events, upTo, leftOut } = await projectKept(queries, Number(row.projected), this.projectEvent);
      if (events === 0) return 0;
      await queries.$executeRaw`
        UPDATE maintenance.rebuilds SET projected = ${BigInt(upTo)}::bigint, left_out = left_out + ${BigInt(leftOut)}::bigint
        WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
      return events;
    });
  }

  remainder(log: LogBounds): Promise<RebuildRemainder> {
    return this.inRebuild('copying', (queries) => readRemainder(queries, this.grant.rebuildId, this.positions, log));
  }

  /** Alone, since what is carried over as removed must not be copied in the same moment. */
  fillHoles(): Promise<string | undefined> {
    return this.inRebuild('alone', async (queries, _client, row) => {
      await fillFromVariants(queries, row.projected);
      await carryRemoved(queries, row.projected);
      return findHole(queries, row.projected);
    });
  }

  renew(leaseMs: number): Promise<'building' | 'aborting'> {
    return orUnavailable(async () => {
      const state = await renewRebuild(queriesOf(this.pool), this.grant, leaseMs);
      if (state === undefined) throw rebuildLost();
      return state;
    });
  }

  async switchOver(settle: () => Promise<boolean>): Promise<SwitchOutcome> {
    await this.analyseOnce();
    const outcome = await this.trySwitch(settle);
    if (outcome === 'not_yet') {
      await this.inRebuild('writing', async (queries) => {
        await queries.$executeRaw`
          UPDATE maintenance.rebuilds SET attempts = attempts + 1 WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
      });
    }
    return outcome;
  }

  private trySwitch(settle: () => Promise<boolean>): Promise<SwitchOutcome> {
    return orRefused(async () => {
      try {
        return await inTransaction(this.pool, async (queries, client) => {
          const lockRebuild = async () => {
            const { state } = await this.lockRow(queries, 'alone');
            if (state === 'aborting') throw new NothingChanged('not_yet');
          };
          const recordLackingEvents = () => recordLacking(queries, this.projectEvent);
          const outcome = await switchOver(client, {
            positions: this.positions,
            lockRebuild,
            settle,
            recordLacking: recordLackingEvents,
          });
          if (outcome !== 'switched') throw new NothingChanged(outcome);
          await this.finish(queries, 'switched');
          return outcome;
        });
      } catch (error) {
        if (error instanceof NothingChanged) return error.outcome;
        if (error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE) return 'not_yet';
        throw error;
      }
    });
  }

  /** A table of which nothing is known is read by other plans than one that was filled bit by bit. */
  private async analyseOnce(): Promise<void> {
    if (this.analysed) return;
    await orUnavailable(async () => {
      for (const name of await tableNames(this.pool, NEXT_SCHEMA)) {
        await this.pool.query(`ANALYZE ${NEXT_SCHEMA}.${escapeIdentifier(name)}`);
      }
    });
    this.analysed = true;
  }

  discard(reason?: string): Promise<void> {
    return this.inRebuild('alone', async (queries, client) => {
      await client.query(`DROP SCHEMA IF EXISTS ${NEXT_SCHEMA} CASCADE`);
      await this.finish(queries, reason === undefined ? 'aborted' : 'failed', reason);
    });
  }

  note(fault: string): Promise<void> {
    return this.inRebuild('writing', async (queries) => {
      await queries.$executeRaw`
        UPDATE maintenance.rebuilds SET fault = ${fault} WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
    });
  }

  release(): Promise<void> {
    return this.inRebuild('writing', async (queries) => {
      await queries.$executeRaw`
        UPDATE maintenance.rebuilds SET holder = '', expires_at = clock_timestamp() - interval '1 second'
        WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
    });
  }

  private async finish(queries: Queries, state: 'switched' | 'aborted' | 'failed', fault?: string): Promise<void> {
    await queries.$executeRaw`
      UPDATE maintenance.rebuilds SET state = ${state}, is_open = NULL, finished_at = clock_timestamp(), holder = '',
        fault = ${fault ?? null}
      WHERE rebuild_id = ${this.grant.rebuildId}::bigint`;
  }

  /** One transaction of whoever has the rebuild. */
  private async inRebuild<T>(
    lock: RowLock,
    work: (queries: Queries, client: PoolClient, row: RebuildRow) => Promise<T>,
  ): Promise<T> {
    try {
      return await inTransaction(this.pool, async (queries, client) =>
        work(queries, client, await this.lockRow(queries, lock)),
      );
    } catch (error) {
      if (error instanceof ProjectionFailed) throw error;
      return orUnavailable(() => Promise.reject(error));
    }
  }

  private async lockRow(queries: Queries, lock: RowLock): Promise<RebuildRow> {
    const [row] = await queries.$queryRaw<RebuildRow[]>`
      SELECT prepared, projected, state FROM maintenance.rebuilds
      WHERE rebuild_id = ${this.grant.rebuildId}::bigint AND fencing_token = ${this.grant.fencingToken}::bigint AND is_open
      ${ROW_LOCKS[lock]}`;
    if (!row) throw rebuildLost();
    return row;
  }
}
