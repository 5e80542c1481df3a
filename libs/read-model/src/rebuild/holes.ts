import type { Queries } from '../database';
import { REMOVED_COLUMNS } from '../retention/remove-events';
import { LIVE, NEXT } from './model-schemas';

/** Most that are taken over at once: what comes after them is looked for again when these are through. */
const MAX_CARRIED = 100_000;

/**
 * Gives events of which the log has no record with the text of the live model the text that the log has under their ids: the
 * log is the copy of record.
 */
export async function fillFromVariants(queries: Queries, projected: string): Promise<void> {
  await queries.$executeRaw`
    INSERT INTO ${NEXT}.recorded_events
    SELECT v.* FROM ${NEXT}.recorded_variants v
    WHERE v.position > ${projected}::bigint
      AND NOT EXISTS (SELECT FROM ${NEXT}.recorded_events n WHERE n.position = v.position)`;
}

/**
 * Takes over what the live model has removed and the log has no more: it stays removed, and without effect on projections.
 * @returns how many there were
 */
export async function carryRemoved(queries: Queries, projected: string): Promise<number> {
  return queries.$executeRaw`
    INSERT INTO ${NEXT}.removed_events (${REMOVED_COLUMNS})
    SELECT ${REMOVED_COLUMNS} FROM ${LIVE}.removed_events m
    WHERE m.position > ${projected}::bigint
      AND NOT EXISTS (SELECT FROM ${NEXT}.recorded_events n WHERE n.position = m.position)
      AND NOT EXISTS (SELECT FROM ${NEXT}.removed_events n WHERE n.position = m.position)
    ORDER BY m.position LIMIT ${MAX_CARRIED}`;
}

/** What is missing after a position; undefined when nothing is. */
export async function findHole(queries: Queries, projected: string): Promise<string | undefined> {
  const [row] = await queries.$queryRaw<{ position: string; is_there: boolean; id: string | null }[]>`
    SELECT p.position, EXISTS (SELECT FROM ${NEXT}.recorded_events n WHERE n.position = p.position)
        OR EXISTS (SELECT FROM ${NEXT}.removed_events n WHERE n.position = p.position) AS is_there,
      (SELECT l.id::text FROM ${LIVE}.recorded_events l WHERE l.position = p.position) AS id
    FROM (SELECT ${projected}::bigint + 1 AS position) p`;
  if (!row || row.is_there) return undefined;
  return row.id === null
    ? `the live model has no event at position ${row.position}`
    : `the log has no event that can be read with the id ${row.id}, which is at position ${row.position}`;
}
