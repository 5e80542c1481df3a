import {
  SluiceError,
  type ReadModelRebuilds,
  type RebuildRequest,
  type RebuildStatus,
  type RebuildWork,
} from '@sluice/event-log';
import { DatabaseError, type Pool } from 'pg';
import type { ProjectEvent } from '../record-transaction';
import { inTransaction, queriesOf } from '../transaction';
import { keepRebuildsApart } from '../erasure/maintenance-lock';
import { orUnavailable } from '../unavailable';
import { OLD_SCHEMA } from './model-schemas';
import { askToAbort, claimRebuild, insertRebuild, readStatus } from './rebuild-row';
import { LOCK_NOT_AVAILABLE, PostgresRebuildWork } from './rebuild-work';
import { refuseDependents } from './structure';

/** Longest wait for those who still read the former model. */
const DROP_LOCK_TIMEOUT_MS = 5_000;

/** Longest wait for what a former builder is just doing. */
const CLAIM_LOCK_TIMEOUT_MS = 2_000;

/** ReadModelRebuilds in PostgreSQL: the model that is built is a schema beside the live one, and a switch renames both. */
export class PostgresReadModelRebuilds implements ReadModelRebuilds {
  constructor(
    private readonly pool: Pool,
    private readonly project: ProjectEvent,
  ) {}

  async request(request: RebuildRequest): Promise<RebuildStatus> {
    const isNoted = await orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await keepRebuildsApart(queries);
        return insertRebuild(queries, request);
      }),
    );
    if (isNoted) return this.newest();
    if ((await this.status())?.oldModelKept) {
      throw new SluiceError('conflict', 'The former model of an earlier rebuild is still there: drop it first');
    }
    throw new SluiceError('conflict', 'A rebuild is under way already, or an erasure is open');
  }

  status(): Promise<RebuildStatus | undefined> {
    return orUnavailable(() => readStatus(queriesOf(this.pool)));
  }

  async abort(): Promise<RebuildStatus> {
    if (!(await orUnavailable(() => askToAbort(queriesOf(this.pool))))) {
      throw new SluiceError('conflict', 'No rebuild is under way');
    }
    return this.newest();
  }

  dropOld(): Promise<boolean> {
    return orUnavailable(async () => {
      try {
        return await inTransaction(this.pool, async (queries, client) => {
          const [old] = await queries.$queryRaw<{ exists: boolean }[]>`
            SELECT to_regnamespace(${OLD_SCHEMA}) IS NOT NULL AS exists`;
          if (!old?.exists) return false;
          await client.query(`SET LOCAL lock_timeout = ${DROP_LOCK_TIMEOUT_MS}`);
          await refuseDependents(client, OLD_SCHEMA, 'conflict');
          // Another process may just have dropped it.
          await client.query(`DROP SCHEMA IF EXISTS ${OLD_SCHEMA} CASCADE`);
          return true;
        });
      } catch (error) {
        if (!(error instanceof DatabaseError && error.code === LOCK_NOT_AVAILABLE)) throw error;
        throw new SluiceError('conflict', 'The former model is still being read', { cause: error });
      }
    });
  }

  claim(holder: string, leaseMs: number): Promise<RebuildWork | undefined> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries, client) => {
        await client.query(`SET LOCAL lock_timeout = ${CLAIM_LOCK_TIMEOUT_MS}`);
        const row = await claimRebuild(queries, holder, leaseMs);
        if (row === undefined) return undefined;
        const grant = { rebuildId: row.rebuild_id, fencingToken: row.fencing_token };
        return new PostgresRebuildWork(this.pool, grant, row.positions, this.project);
      }),
    );
  }

  private async newest(): Promise<RebuildStatus> {
    const status = await this.status();
    if (status === undefined) throw new SluiceError('read_model_unavailable', 'The rebuild that was noted is gone');
    return status;
  }
}
