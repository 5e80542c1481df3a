import {
  SluiceError,
  type RebuildPositions,
  type RebuildRequest,
  type RebuildState,
  type RebuildStatus,
} from '@sluice/event-log';
import type { Queries } from '../database';
import { LIVE, OLD_SCHEMA } from './model-schemas';

/** A builder's right to one rebuild. */
export interface RebuildGrant {
  readonly rebuildId: string;
  readonly fencingToken: string;
}

interface StatusRow {
  readonly rebuild_id: string;
  readonly positions: RebuildPositions;
  readonly drop_old: boolean;
  readonly state: RebuildState;
  readonly requested_at: Date;
  readonly finished_at: Date | null;
  readonly holder: string | null;
  readonly built_events: string;
  readonly live_events: string;
  readonly left_out: string;
  readonly attempts: number;
  readonly fault: string | null;
  readonly old_model_kept: boolean;
}

/** The newest rebuild, as of now. */
export async function readStatus(queries: Queries): Promise<RebuildStatus | undefined> {
  const [row] = await queries.$queryRaw<StatusRow[]>`
    SELECT r.rebuild_id, r.positions, r.drop_old, r.state, r.requested_at, r.finished_at, r.attempts, r.fault, r.left_out,
      CASE WHEN r.is_open AND r.holder <> '' AND r.expires_at > clock_timestamp() THEN r.holder END AS holder,
      r.projected AS built_events,
      coalesce((SELECT c.last_position FROM ${LIVE}.position_counter c WHERE c.id = 1), 0) AS live_events,
      to_regnamespace(${OLD_SCHEMA}) IS NOT NULL AS old_model_kept
    FROM maintenance.rebuilds r ORDER BY r.rebuild_id DESC LIMIT 1`;
  if (!row) return undefined;
  return {
    rebuildId: Number(row.rebuild_id),
    positions: row.positions,
    dropOld: row.drop_old,
    state: row.state,
    requestedAt: row.requested_at.getTime(),
    ...(row.finished_at && { finishedAt: row.finished_at.getTime() }),
    ...(row.holder !== null && { holder: row.holder }),
    builtEvents: Number(row.built_events),
    liveEvents: Number(row.live_events),
    leftOutEvents: Number(row.left_out),
    attempts: row.attempts,
    ...(row.fault !== null && { fault: row.fault }),
    oldModelKept: row.old_model_kept,
  };
}

/** False while another one is under way, the former model of one is still there, or an erasure is open. */
export async function insertRebuild(queries: Queries, { positions, dropOld }: RebuildRequest): Promise<boolean> {
  const inserted = await queries.$executeRaw`
    INSERT INTO maintenance.rebuilds (positions, drop_old, state)
    SELECT ${positions}::text, ${dropOld}::boolean, 'building' WHERE to_regnamespace(${OLD_SCHEMA}) IS NULL
      AND NOT EXISTS (SELECT FROM maintenance.erasures WHERE is_open)
    ON CONFLICT (is_open) DO NOTHING`;
  return inserted === 1;
}

/** False when none is under way. */
export async function askToAbort(queries: Queries): Promise<boolean> {
  return (await queries.$executeRaw`UPDATE maintenance.rebuilds SET state = 'aborting' WHERE is_open`) === 1;
}

interface ClaimedRow {
  readonly rebuild_id: string;
  readonly fencing_token: string;
  readonly positions: RebuildPositions;
}

/**
 * Takes the rebuild that is under way and that nobody holds. To be called in a transaction: it waits for what a former
 * holder is just doing, after which that one can do nothing more.
 */
export async function claimRebuild(queries: Queries, holder: string, leaseMs: number): Promise<ClaimedRow | undefined> {
  await queries.$executeRaw`SELECT FROM maintenance.rebuilds WHERE is_open AND expires_at <= clock_timestamp() FOR UPDATE`;
  const [row] = await queries.$queryRaw<ClaimedRow[]>`
    UPDATE maintenance.rebuilds SET holder = ${holder}, fencing_token = fencing_token + 1,
      expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE is_open AND expires_at <= clock_timestamp()
    RETURNING rebuild_id, fencing_token, positions`;
  return row;
}

/** @returns what is asked for; undefined when the rebuild is somebody else's, or over */
export async function renewRebuild(
  queries: Queries,
  { rebuildId, fencingToken }: RebuildGrant,
  leaseMs: number,
): Promise<'building' | 'aborting' | undefined> {
  const [row] = await queries.$queryRaw<{ state: 'building' | 'aborting' }[]>`
    UPDATE maintenance.rebuilds SET expires_at = clock_timestamp() + ${leaseMs} * interval '1 millisecond'
    WHERE rebuild_id = ${rebuildId}::bigint AND fencing_token = ${fencingToken}::bigint AND is_open
    RETURNING state`;
  return row?.state;
}

export function rebuildLost(): SluiceError {
  return new SluiceError('conflict', 'The rebuild is over, or somebody else is at it');
}
