import type { Queries } from '../database';
import { REMOVED_COLUMNS } from '../retention/remove-events';
import { LIVE, NEXT } from './model-schemas';

/**
 * Waits until nobody is removing events from the live model; who begins after that finds the rebuild under way, and refrains
 * (see `isRebuilding`).
 */
export async function waitForRemovals(queries: Queries): Promise<void> {
  await queries.$executeRaw`LOCK TABLE ${LIVE}.removed_events IN SHARE MODE`;
}

/**
 * Removes from a model with a numbering of its own what is removed from the live one, now that it has had its effect. Its new
 * position stays taken, so that its id stays known.
 */
export async function removeKnownAsRemoved(queries: Queries, eventIds: readonly string[]): Promise<void> {
  await queries.$executeRaw`
    WITH gone AS (
      DELETE FROM ${NEXT}.recorded_events n USING ${LIVE}.removed_events m
      WHERE n.id = ANY(${[...eventIds]}::uuid[]) AND m.id = n.id
      RETURNING n.position, n.id, n.workspace_id, n.family, n.entity_id, n.entity_sequence, n.occurred_at, n.recorded_at
    )
    INSERT INTO ${NEXT}.removed_events (${REMOVED_COLUMNS}) SELECT * FROM gone`;
}
