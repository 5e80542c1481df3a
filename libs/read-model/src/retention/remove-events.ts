import { SluiceError, type RemovalBounds } from '@sluice/event-log';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import { LIVE } from '../rebuild/model-schemas';

/** The columns of a removed event, which a recorded one has as well. */
export const REMOVED_COLUMNS = Prisma.raw(
  'position, id, workspace_id, family, entity_id, entity_sequence, occurred_at, recorded_at',
);

/**
 * Whether the read model is being rebuilt: then nothing must be removed from it. Where it is not, none begins before the end of
 * the transaction. Who removes holds this lock of the table, and a rebuild begins by waiting for all who hold it: so either
 * it finds what was removed, or who removes finds it under way.
 */
export async function isRebuilding(queries: Queries): Promise<boolean> {
  await queries.$executeRaw`LOCK TABLE ${LIVE}.removed_events IN ROW EXCLUSIVE MODE`;
  const [row] = await queries.$queryRaw<{ is_open: boolean }[]>`
    SELECT EXISTS (SELECT FROM maintenance.rebuilds WHERE is_open) AS is_open`;
  return row?.is_open ?? false;
}

/** See `isRebuilding`. @throws SluiceError `conflict` while the read model is being rebuilt */
export async function refuseWhileRebuilding(queries: Queries): Promise<void> {
  if (await isRebuilding(queries)) throw new SluiceError('conflict', 'The read model is being rebuilt');
}

/** What may be removed in one transaction. */
export interface Removable {
  /** As many of the first positions as the bounds allow, as texts. */
  readonly positions: readonly string[];
  readonly bytes: number;
  /** There is no more than this. */
  readonly complete: boolean;
}

/** @param candidates rows with `position` and `bytes`, which are the first that are to be removed, in order */
export async function firstWithin(
  queries: Queries,
  candidates: Prisma.Sql,
  { maxEvents, maxBytes }: RemovalBounds,
): Promise<Removable> {
  const rows = await queries.$queryRaw<{ position: string; bytes: string; is_within: boolean }[]>`
    SELECT position, bytes, row_number() OVER ordered = 1
      OR (row_number() OVER ordered <= ${maxEvents} AND sum(bytes) OVER ordered <= ${BigInt(maxBytes)}::bigint) AS is_within
    FROM (SELECT * FROM (${candidates}) AS due LIMIT ${maxEvents + 1}) AS candidates
    WINDOW ordered AS (ORDER BY position)
    ORDER BY position`;
  const within = rows.filter(({ is_within: isWithin }) => isWithin);
  return {
    positions: within.map(({ position }) => position),
    bytes: within.reduce((sum, { bytes }) => sum + Number(bytes), 0),
    complete: within.length === rows.length,
  };
}

/**
 * Moves the recorded events at these positions to the removed ones. For a transaction that began with
 * `refuseWhileRebuilding`.
 * @param audience `told`: who has not seen them is answered by a reset; the floors of their workspaces and families rise.
 *   `untold`: nobody is
 * @returns how many there were
 */
export async function removeAt(
  queries: Queries,
  positions: readonly string[],
  audience: 'told' | 'untold',
): Promise<number> {
  const [row] = await queries.$queryRaw<{ events: string }[]>`
    WITH gone AS (
      DELETE FROM ${LIVE}.recorded_events WHERE position = ANY(${[...positions]}::bigint[])
      RETURNING ${REMOVED_COLUMNS}
    ), left_over AS (
      INSERT INTO ${LIVE}.removed_events (${REMOVED_COLUMNS}) SELECT * FROM gone
      ON CONFLICT (position) DO NOTHING
    ), raised AS (
      INSERT INTO ${LIVE}.retention_floors AS f (workspace_id, family, position)
      SELECT workspace_id, family, max(position) FROM gone WHERE ${audience === 'told'} GROUP BY workspace_id, family
      ON CONFLICT (workspace_id, family) DO UPDATE SET position = greatest(f.position, excluded.position)
    )
    SELECT count(*) AS events FROM gone`;
  return Number(row?.events ?? 0);
}
