import {
  ERASABLE_FAMILIES,
  ERASURE_STEPS,
  FieldErasureCheck,
  MAX_EVENTS_OF_FIELDS,
  MAX_LISTED_ERASURES,
  MAX_OPEN_ERASURES,
  SluiceError,
  type EntityRef,
  type ErasureBacklog,
  type Erasures,
  type ErasureRequest,
  type ErasureStatus,
  type ErasureWork,
} from '@sluice/event-log';
import type { Pool } from 'pg';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import { OLD_SCHEMA } from '../rebuild/model-schemas';
import type { ProjectEvent } from '../record-transaction';
import { inTransaction, queriesOf } from '../transaction';
import { orUnavailable } from '../unavailable';
import { acceptsIn } from './accepts';
import { ofEntity, pagesOfEntity } from './entity-events';
import {
  abandonErasure,
  claimErasure,
  fromProgressText,
  fromRequestRow,
  insertErasure,
  readErasureBacklog,
  readStatuses,
} from './erasure-row';
import { keepRebuildsApart } from './maintenance-lock';
import { PostgresErasureWork } from './postgres-erasure-work';

/** Longest wait for the transaction that its worker is in. */
const ABANDON_LOCK_TIMEOUT_MS = 5_000;

/** Most abandoned erasures of an entity whose fields are looked at. */
const MAX_ABANDONED = 100;

/** Erasures in PostgreSQL. */
export class PostgresErasures implements Erasures {
  constructor(
    private readonly pool: Pool,
    private readonly project: ProjectEvent,
  ) {}

  async request(request: ErasureRequest): Promise<ErasureStatus> {
    const { entity, fields } = request;
    if (!ERASABLE_FAMILIES.some((family) => family === entity.family)) {
      throw new SluiceError('invalid_request', `Events of the family ${entity.family} are public and are not erased`, {
        where: 'family',
      });
    }
    return orUnavailable(async () => {
      await this.requireErasable(entity, fields);
      return inTransaction(this.pool, async (queries) => {
        await keepRebuildsApart(queries);
        await refuseWhileRebuilt(queries);
        const inserted = await insertErasure(queries, request, ERASURE_STEPS[0]);
        if (!inserted) throw new SluiceError('conflict', 'An erasure of this entity is open already');
        return inserted;
      });
    });
  }

  async find(erasureId: number): Promise<ErasureStatus | undefined> {
    if (!Number.isSafeInteger(erasureId)) return undefined;
    const condition = Prisma.sql`erasure_id = ${BigInt(erasureId)}::bigint`;
    const [status] = await orUnavailable(() => readStatuses(queriesOf(this.pool), condition, 1));
    return status;
  }

  list({ before, limit }: { readonly before?: number; readonly limit: number }): Promise<readonly ErasureStatus[]> {
    const condition = before === undefined ? Prisma.sql`true` : Prisma.sql`erasure_id < ${BigInt(before)}::bigint`;
    return orUnavailable(() => readStatuses(queriesOf(this.pool), condition, Math.min(limit, MAX_LISTED_ERASURES)));
  }

  async abandon(erasureId: number): Promise<ErasureStatus> {
    const known = await this.find(erasureId);
    if (!known) throw new SluiceError('not_found', 'There is no such erasure');
    await orUnavailable(() =>
      inTransaction(this.pool, async (queries, client) => {
        await client.query(`SET LOCAL lock_timeout = ${ABANDON_LOCK_TIMEOUT_MS}`);
        await abandonErasure(queries, BigInt(erasureId));
      }),
    );
    const status = await this.find(erasureId);
    if (status?.abandonedAt === undefined) throw new SluiceError('conflict', 'The erasure is done');
    return status;
  }

  backlog(): Promise<ErasureBacklog> {
    return orUnavailable(() => readErasureBacklog(queriesOf(this.pool)));
  }

  claim(holder: string, leaseMs: number): Promise<ErasureWork | undefined> {
    return orUnavailable(async () => {
      const row = await claimErasure(queriesOf(this.pool), holder, leaseMs);
      if (!row) return undefined;
      const grant = { erasureId: row.erasure_id, fencingToken: row.fencing_token };
      return new PostgresErasureWork(
        this.pool,
        grant,
        fromRequestRow(row),
        { step: row.step, progress: fromProgressText(row.progress) },
        this.project,
      );
    });
  }

  /** Looks at what there is before anything is noted; what comes between is looked at again by the work. */
  private async requireErasable(entity: EntityRef, fields: readonly string[]): Promise<void> {
    const check = new FieldErasureCheck(fields, acceptsIn(this.project));
    const queries = queriesOf(this.pool);
    const [known] = await queries.$queryRaw<{ event_count: string }[]>`
      SELECT event_count FROM read_model.entities WHERE ${ofEntity(entity)}`;
    if (!known) throw new SluiceError('not_found', 'There is no such entity');
    if (entity.family === 'session') await requireDeletedSession(queries, entity);
    if (fields.length === 0) return;
    if (Number(known.event_count) > MAX_EVENTS_OF_FIELDS) {
      const message = `Of an entity with more than ${MAX_EVENTS_OF_FIELDS} events only all can be erased`;
      throw new SluiceError('invalid_request', message, { where: 'fields' });
    }
    await refuseAfterRetention(queries, entity);
    for await (const page of pagesOfEntity(queries, entity)) for (const { envelope } of page) check.look(envelope);
    check.end(await abandonedFields(queries, entity));
  }
}

/** The model that is built, or the former one, would have what is erased. */
async function refuseWhileRebuilt(queries: Queries): Promise<void> {
  const [row] = await queries.$queryRaw<{ is_rebuilt: boolean; has_old: boolean; open_erasures: string }[]>`
    SELECT EXISTS (SELECT FROM maintenance.rebuilds WHERE is_open) AS is_rebuilt,
      to_regnamespace(${OLD_SCHEMA}) IS NOT NULL AS has_old,
      (SELECT count(*) FROM maintenance.erasures WHERE is_open) AS open_erasures`;
  if (row?.is_rebuilt) throw new SluiceError('conflict', 'The read model is being rebuilt');
  if (row?.has_old) {
    throw new SluiceError('conflict', 'The former model of a rebuild is still there: drop it first');
  }
  if (Number(row?.open_erasures) >= MAX_OPEN_ERASURES)
    throw new SluiceError('overloaded', 'Too many erasures are open');
}

/** The fields of the newest erasures of an entity that were abandoned. */
async function abandonedFields(queries: Queries, entity: EntityRef): Promise<readonly string[]> {
  const rows = await queries.$queryRaw<{ fields: string }[]>`
    SELECT fields FROM maintenance.erasures WHERE ${ofEntity(entity)} AND abandoned_at IS NOT NULL
    ORDER BY erasure_id DESC LIMIT ${MAX_ABANDONED}`;
  return rows.flatMap(({ fields }) => JSON.parse(fields) as readonly string[]);
}

/** While a session goes on, its app would write what was erased anew; of a deleted one it may still have to tell. */
async function requireDeletedSession(queries: Queries, { workspaceId, entityId }: EntityRef): Promise<void> {
  const [row] = await queries.$queryRaw<{ is_there: boolean; is_told: boolean }[]>`
    SELECT
      EXISTS (SELECT FROM agent_sessions.sessions WHERE session_id = ${entityId} AND workspace_id = ${workspaceId}::int
        AND deleted_at IS NULL) AS is_there,
      NOT EXISTS (SELECT FROM agent_sessions.outbox WHERE session_id = ${entityId})
        AND NOT EXISTS (SELECT FROM agent_sessions.dispatches WHERE session_id = ${entityId}) AS is_told`;
  if (row?.is_there) throw new SluiceError('conflict', 'The session is there: delete it first');
  if (row?.is_told === false)
    throw new SluiceError('conflict', 'The end of the session is still being told: try again');
}

/** Their texts are in the log alone, which is written anew from what is recorded. */
async function refuseAfterRetention(queries: Queries, entity: EntityRef): Promise<void> {
  const [row] = await queries.$queryRaw<{ is_cut: boolean }[]>`
    SELECT EXISTS (
      SELECT FROM read_model.removed_events WHERE ${ofEntity(entity)} AND position > (
        SELECT coalesce(max(up_to), 0) FROM maintenance.erasures
        WHERE ${ofEntity(entity)} AND fields = '[]' AND finished_at IS NOT NULL)) AS is_cut`;
  if (!row?.is_cut) return;
  const message = 'Retention has removed events of the entity: only all of it can be erased';
  throw new SluiceError('conflict', message, { where: 'fields' });
}
