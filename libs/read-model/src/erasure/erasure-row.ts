import {
  SluiceError,
  toPosition,
  type EntityRef,
  type ErasureBacklog,
  type ErasureProgress,
  type ErasureRequest,
  type ErasureStatus,
  type ErasureStep,
  type Lane,
} from '@sluice/event-log';
import type { EventFamily } from '@sluice/event-schema';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';

/** A worker's right to one erasure. */
export interface ErasureGrant {
  readonly erasureId: string;
  readonly fencingToken: string;
}

interface RequestRow {
  readonly workspace_id: number;
  readonly family: EventFamily;
  readonly entity_id: string;
  readonly fields: string;
}

interface StatusRow extends RequestRow {
  readonly erasure_id: string;
  readonly step: ErasureStep;
  readonly progress: string;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
  readonly abandoned_at: Date | null;
  readonly holder: string | null;
  readonly up_to: string | null;
  readonly erased_events: string;
  readonly erased_parked: string;
  readonly fault: string | null;
}

export interface ClaimedRow extends RequestRow {
  readonly erasure_id: string;
  readonly fencing_token: string;
  readonly step: ErasureStep;
  readonly progress: string;
}

/** What is written of progress: maps are lists of pairs. */
type ProgressText = {
  readonly [K in keyof ErasureProgress]: K extends 'requestedEnds' | 'sealedEnds'
    ? readonly (readonly [Lane, number])[]
    : ErasureProgress[K];
};

export function progressText({ requestedEnds, sealedEnds, ...progress }: ErasureProgress): string {
  return JSON.stringify({
    ...progress,
    ...(requestedEnds && { requestedEnds: [...requestedEnds] }),
    ...(sealedEnds && { sealedEnds: [...sealedEnds] }),
  } satisfies ProgressText);
}

export function fromProgressText(text: string): ErasureProgress {
  const { requestedEnds, sealedEnds, ...progress } = JSON.parse(text) as ProgressText;
  return {
    ...progress,
    ...(requestedEnds && { requestedEnds: new Map(requestedEnds) }),
    ...(sealedEnds && { sealedEnds: new Map(sealedEnds) }),
  };
}

export function fromRequestRow(row: RequestRow): ErasureRequest {
  const entity: EntityRef = { workspaceId: row.workspace_id, family: row.family, entityId: row.entity_id };
  return { entity, fields: JSON.parse(row.fields) as readonly string[] };
}

function fromStatusRow(row: StatusRow): ErasureStatus {
  const { caveat } = fromProgressText(row.progress);
  return {
    erasureId: Number(row.erasure_id),
    ...fromRequestRow(row),
    ...(row.finished_at === null ? { step: row.step } : { finishedAt: row.finished_at.getTime() }),
    requestedAt: row.requested_at.getTime(),
    ...(row.abandoned_at !== null && { abandonedAt: row.abandoned_at.getTime() }),
    ...(row.holder !== null && { holder: row.holder }),
    ...(row.up_to !== null && { upTo: toPosition(Number(row.up_to)) }),
    erasedEvents: Number(row.erased_events),
    erasedParked: Number(row.erased_parked),
    ...(caveat !== undefined && { caveat }),
    ...(row.fault !== null && { fault: row.fault }),
  };
}

const STATUS = Prisma.sql`erasure_id, workspace_id, family, entity_id, fields, step, progress, requested_at, finished_at, abandoned_at,
  up_to, erased_events, erased_parked, fault,
  CASE WHEN is_open AND holder <> '' AND expires_at > clock_timestamp() THEN holder END AS holder`;

/** The newest first. */
export async function readStatuses(
  queries: Queries,
  condition: Prisma.Sql,
  limit: number,
): Promise<readonly ErasureStatus[]> {
  const rows = await queries.$queryRaw<StatusRow[]>`
    SELECT ${STATUS} FROM maintenance.erasures WHERE ${condition} ORDER BY erasure_id DESC LIMIT ${limit}`;
  return rows.map(fromStatusRow);
}

/** By the clock of the database, which noted when they were asked for. */
export async function readErasureBacklog(queries: Queries): Promise<ErasureBacklog> {
  const [row] = await queries.$queryRaw<{ open: string; oldest_ms: number }[]>`
    SELECT count(*) AS open,
      greatest(0, coalesce(extract(epoch FROM clock_timestamp() - min(requested_at)) * 1000, 0))::float8 AS oldest_ms
    FROM maintenance.erasures WHERE is_open`;
  return { open: Number(row?.open ?? 0), oldestMs: row?.oldest_ms ?? 0 };
}

/** Undefined while an erasure of the entity is open. */
export async function insertErasure(
  queries: Queries,
  { entity, fields }: ErasureRequest,
  step: ErasureStep,
): Promise<ErasureStatus | undefined> {
  const { workspaceId, family, entityId } = entity;
  const [row] = await queries.$queryRaw<StatusRow[]>`
    INSERT INTO maintenance.erasures (workspace_id, family, entity_id, fields, step)
    VALUES (${workspaceId}::int, ${family}, ${entityId}, ${JSON.stringify(fields)}, ${step})
    ON CONFLICT (workspace_id, family, entity_id, is_open) DO NOTHING
    RETURNING ${STATUS}`;
  return row && fromStatusRow(row);
}

/** Waits for what its worker is just doing. @returns whether it was open */
export async function abandonErasure(queries: Queries, erasureId: bigint): Promise<boolean> {
  const changed = await queries.$executeRaw`
    UPDATE maintenance.erasures SET is_open = NULL, abandoned_at = clock_timestamp(), holder = ''
    WHERE erasure_id = ${erasureId}::bigint AND is_open`;
  return changed === 1;
}

/** Takes the erasure that has been due for longest and that nobody holds. */
export async function claimErasure(queries: Queries, holder: string, leaseMs: number): Promise<ClaimedRow | undefined> {
  const [row] = await queries.$queryRaw<ClaimedRow[]>`
    UPDATE maintenance.erasures SET holder = ${holder}, fencing_token = fencing_token + 1,
      expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE erasure_id = (
      SELECT erasure_id FROM maintenance.erasures
      WHERE is_open AND due_at <= clock_timestamp() AND expires_at <= clock_timestamp()
      ORDER BY due_at LIMIT 1 FOR UPDATE SKIP LOCKED)
    RETURNING erasure_id, fencing_token, workspace_id, family, entity_id, fields, step, progress`;
  return row;
}

/** Until the end of the transaction nobody else can take it. @throws SluiceError `conflict` when somebody else has it */
export async function lockErasure(queries: Queries, grant: ErasureGrant): Promise<{ readonly scanned: string }> {
  const [row] = await queries.$queryRaw<{ scanned: string }[]>`
    SELECT scanned FROM maintenance.erasures WHERE ${held(grant)} FOR NO KEY UPDATE`;
  if (!row) throw erasureLost();
  return row;
}

/** @throws SluiceError `conflict` when somebody else has it */
export async function updateErasure(queries: Queries, grant: ErasureGrant, changes: Prisma.Sql): Promise<void> {
  const changed = await queries.$executeRaw`UPDATE maintenance.erasures SET ${changes} WHERE ${held(grant)}`;
  if (changed !== 1) throw erasureLost();
}

function held({ erasureId, fencingToken }: ErasureGrant): Prisma.Sql {
  return Prisma.sql`erasure_id = ${erasureId}::bigint AND fencing_token = ${fencingToken}::bigint AND is_open`;
}

function erasureLost(): SluiceError {
  return new SluiceError('conflict', 'The erasure is over, or somebody else is at it');
}
