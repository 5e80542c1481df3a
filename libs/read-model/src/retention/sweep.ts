import {
  MAX_CLOCK_DIFFERENCE_MS,
  toPosition,
  type RemovalBounds,
  type RetentionBounds,
  type RetentionScope,
  type DuePolicy,
  type RetentionHalt,
  type RetentionStep,
} from '@sluice/event-log';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import { LIVE } from '../rebuild/model-schemas';
import { removeAt } from './remove-events';
import { governs, isOf, toScope, DEFAULT_WORKSPACE, type ScopeRow } from './retention-policies';

interface PlaceRow {
  readonly max_age_ms: string | null;
  readonly epoch: string;
  readonly swept: string;
  readonly now_ms: string;
}

interface DueRow extends ScopeRow {
  readonly overdue_ms: string;
}

const NOW_MS = Prisma.sql`floor(extract(epoch FROM clock_timestamp()) * 1000)::bigint`;

/** The earlier of two clocks, so that a wrong one keeps too much and not too little; none where they differ by too much. */
function agreeOnTime(databaseMs: number, processMs: number): number | RetentionHalt {
  const byMs = databaseMs - processMs;
  if (Math.abs(byMs) > MAX_CLOCK_DIFFERENCE_MS) return { kind: 'clocks_differ', byMs };
  return Math.min(databaseMs, processMs);
}

/** The policies whose next event is too old, whether it is one of theirs or is to be passed by; the most overdue first. */
export async function listDue(queries: Queries, processNowMs: number): Promise<readonly DuePolicy[] | RetentionHalt> {
  const [clock] = await queries.$queryRaw<{ now_ms: string }[]>`SELECT ${NOW_MS} AS now_ms`;
  const now = agreeOnTime(Number(clock?.now_ms), processNowMs);
  if (typeof now !== 'number') return now;
  const next = (isOfPolicy: Prisma.Sql) => Prisma.sql`
    SELECT recorded_at FROM ${LIVE}.recorded_events e WHERE ${isOfPolicy} AND e.position > p.swept
    ORDER BY e.position LIMIT 1`;
  const rows = await queries.$queryRaw<DueRow[]>`
    WITH placed AS (
      SELECT workspace_id, family, max_age_ms, CASE WHEN swept_epoch = c.epoch THEN swept ELSE 0 END AS swept
      FROM maintenance.retention_policies, ${LIVE}.position_counter c WHERE max_age_ms IS NOT NULL
    ), ahead AS (
      SELECT p.*, n.recorded_at FROM placed p, LATERAL (${next(Prisma.sql`true`)}) n
      WHERE p.workspace_id = ${DEFAULT_WORKSPACE}::int
      UNION ALL
      SELECT p.*, n.recorded_at FROM placed p, LATERAL (${next(Prisma.sql`e.workspace_id = p.workspace_id`)}) n
      WHERE p.workspace_id <> ${DEFAULT_WORKSPACE}::int
    )
    SELECT workspace_id, family, ${BigInt(now)}::bigint - max_age_ms - recorded_at AS overdue_ms FROM ahead
    WHERE recorded_at <= ${BigInt(now)}::bigint - max_age_ms
    ORDER BY overdue_ms DESC, workspace_id, family`;
  return rows.map((row) => ({ scope: toScope(row), overdueMs: Number(row.overdue_ms) }));
}

interface ScannedRow {
  readonly scanned: string;
  readonly up_to: string | null;
  /** Of those that are to go, in order. */
  readonly positions: readonly string[] | null;
  readonly sizes: readonly number[] | null;
}

/**
 * Applies one policy to the events that come next in position order, as far as they are old enough. For a transaction that
 * holds the lease and was told by `isRebuilding` that nothing is being rebuilt.
 * @param processNowMs the time by this process's clock
 * @returns undefined where nothing is old enough
 */
export async function sweep(
  queries: Queries,
  scope: RetentionScope,
  { maxScanned, ...bounds }: RetentionBounds,
  processNowMs: number,
): Promise<RetentionStep | undefined> {
  // In another numbering it begins anew.
  const [place] = await queries.$queryRaw<PlaceRow[]>`
    SELECT max_age_ms, c.epoch, CASE WHEN swept_epoch = c.epoch THEN swept ELSE 0 END AS swept, ${NOW_MS} AS now_ms
    FROM maintenance.retention_policies, ${LIVE}.position_counter c WHERE ${isOf(scope)}`;
  if (!place || place.max_age_ms === null) return undefined;
  const now = agreeOnTime(Number(place.now_ms), processNowMs);
  if (typeof now !== 'number') return now;
  const found = await scan(queries, scope, place.swept, now - Number(place.max_age_ms), maxScanned);
  if (!found || found.up_to === null) return undefined;
  const { positions, bytes } = within(found, bounds);
  const last = positions.at(-1);
  const upTo = positions.length < (found.positions?.length ?? 0) && last !== undefined ? last : found.up_to;
  const events = positions.length === 0 ? 0 : await removeAt(queries, positions, 'told');
  await queries.$executeRaw`
    UPDATE maintenance.retention_policies SET swept_epoch = ${place.epoch}, swept = ${upTo}::bigint,
      removed_events = removed_events + ${BigInt(events)}::bigint
    WHERE ${isOf(scope)}`;
  const scanned = Number(found.scanned);
  return { kind: 'swept', scope, scanned, events, bytes, upTo: toPosition(Number(upTo)) };
}

/** Up to the first event that is too young: in the order of positions, so that what is kept of a family has no hole. */
async function scan(
  queries: Queries,
  scope: RetentionScope,
  swept: string,
  recordedUpToMs: number,
  maxScanned: number,
): Promise<ScannedRow | undefined> {
  const ofWorkspace =
    scope.workspaceId === 'default' ? Prisma.empty : Prisma.sql`AND workspace_id = ${scope.workspaceId}::int`;
  const [row] = await queries.$queryRaw<ScannedRow[]>`
    WITH scanned AS MATERIALIZED (
      SELECT position, workspace_id, family, octet_length(envelope) AS bytes,
        recorded_at > ${BigInt(recordedUpToMs)}::bigint AS is_young
      FROM ${LIVE}.recorded_events
      WHERE position > ${swept}::bigint ${ofWorkspace} ORDER BY position LIMIT ${maxScanned}
    ), old AS (
      SELECT * FROM scanned
      WHERE position < coalesce((SELECT min(position) FROM scanned WHERE is_young), ${Number.MAX_SAFE_INTEGER}::bigint)
    ), due AS (
      SELECT position, bytes, ${governs(scope)} AS is_due FROM old
    )
    SELECT count(*) AS scanned, max(position) AS up_to,
      array_agg(position ORDER BY position) FILTER (WHERE is_due) AS positions,
      array_agg(bytes ORDER BY position) FILTER (WHERE is_due) AS sizes
    FROM due`;
  return row;
}

function within(
  { positions, sizes }: ScannedRow,
  { maxEvents, maxBytes }: RemovalBounds,
): { positions: readonly string[]; bytes: number } {
  let bytes = 0;
  let count = 0;
  for (const size of sizes ?? []) {
    if (count === maxEvents || (count > 0 && bytes + size > maxBytes)) break;
    bytes += size;
    count++;
  }
  return { positions: (positions ?? []).slice(0, count), bytes };
}
