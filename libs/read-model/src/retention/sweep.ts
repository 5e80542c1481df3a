import {
  toPosition,
  type RemovalBounds,
  type RetentionBounds,
  type RetentionScope,
  type RetentionStep,
} from '@sluice/event-log';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import { LIVE } from '../rebuild/model-schemas';
import { removeAt } from './remove-events';
import { governs, isOf } from './retention-policies';

interface PlaceRow {
  readonly max_age_ms: string | null;
  readonly epoch: string;
  readonly swept: string;
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
 * @returns undefined where nothing is old enough
 */
export async function sweep(
  queries: Queries,
  scope: RetentionScope,
  { maxScanned, ...bounds }: RetentionBounds,
): Promise<RetentionStep | undefined> {
  // In another numbering it begins anew.
  const [place] = await queries.$queryRaw<PlaceRow[]>`
    SELECT max_age_ms, c.epoch, CASE WHEN swept_epoch = c.epoch THEN swept ELSE 0 END AS swept
    FROM maintenance.retention_policies, ${LIVE}.position_counter c WHERE ${isOf(scope)}`;
  if (!place || place.max_age_ms === null) return undefined;
  const found = await scan(queries, scope, place, maxScanned);
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
  { max_age_ms: maxAgeMs, swept }: PlaceRow,
  maxScanned: number,
): Promise<ScannedRow | undefined> {
  const ofWorkspace =
    scope.workspaceId === 'default' ? Prisma.empty : Prisma.sql`AND workspace_id = ${scope.workspaceId}::int`;
  const [row] = await queries.$queryRaw<ScannedRow[]>`
    WITH scanned AS MATERIALIZED (
      SELECT position, workspace_id, family, octet_length(envelope) AS bytes,
        recorded_at > floor(extract(epoch FROM clock_timestamp()) * 1000) - ${maxAgeMs}::bigint AS is_young
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
