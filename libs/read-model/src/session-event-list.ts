import { MAX_SCANNED_SESSION_EVENTS, MAX_SESSION_PAGE_LENGTH, type ListSessionEvents } from '@sluice/projections';
import { Prisma } from './generated/client';
import { beyond, directed, rangeConditions, unionOf, boundedInteger } from './ordered-pages';

export const SHOWN_COLUMNS = Prisma.sql`e.event_id, e.type, e.processed_at, e.position, r.entity_sequence, r.recorded_at,
  r.envelope`;

const COLUMNS = Prisma.sql`position, event_id, type, processed_at`;
const TABLE = Prisma.sql`read_model.session_events`;

/** So many types at most are looked for by themselves; more are nearly all, and are looked for one event after the other. */
const MAX_SOUGHT_TYPES = 16;

/**
 * One page, and whether there is more. What is not kept any more has a row without a text, so that the page goes on
 * behind it. Events of some types are read from parts of an index that have only those. No index
 * has times in the order of positions, so with times a window of so many events is looked through, and its end is told where
 * it is full.
 */
export function listSessionEvents(query: ListSessionEvents & { readonly types: readonly string[] }): Prisma.Sql {
  const direction = directed(query);
  const inOrder = Prisma.sql`ORDER BY position ${direction}`;
  // The sizes alone are looked at: a text that is stored out of line is not fetched unless it is in the page.
  return Prisma.sql`
    WITH ${candidatesOf(query, inOrder)}, measured AS (
      SELECT ${SHOWN_COLUMNS}, lead(e.position) OVER ordered IS NOT NULL AS has_more, row_number() OVER ordered AS place,
        sum(coalesce(octet_length(r.envelope), 0)) OVER ordered AS bytes_to_here
      FROM candidates e
      LEFT JOIN LATERAL (SELECT * FROM read_model.recorded_events WHERE position = e.position OFFSET 0) r ON true
      WINDOW ordered AS (ORDER BY e.position ${direction})
    ), page AS (
      SELECT * FROM measured
      WHERE place <= ${query.limit}
        AND (bytes_to_here <= ${MAX_SESSION_PAGE_LENGTH} OR bytes_to_here = octet_length(envelope))
    )
    SELECT page.*, window_end
    FROM (SELECT 1 AS one) AS one LEFT JOIN looked_at ON true LEFT JOIN page ON true
    ${inOrder}`;
}

/** What may be in the page, and one more that tells whether there is more. */
function candidatesOf(
  query: ListSessionEvents & { readonly types: readonly string[] },
  inOrder: Prisma.Sql,
): Prisma.Sql {
  const types = [...new Set(query.types)];
  const times = rangeConditions(Prisma.sql`processed_at`, {
    afterMs: query.processedAfterMs,
    fromMs: query.processedFromMs,
    beforeMs: query.processedBeforeMs,
    upToMs: query.processedUpToMs,
  });
  const given = Prisma.join(conditionsOf(query), ' AND ');
  const most = query.limit + 1;
  if (times.length === 0 && types.length <= MAX_SOUGHT_TYPES) {
    const branches = types.length === 0 ? [given] : types.map((type) => Prisma.sql`${given} AND type = ${type}`);
    return Prisma.sql`
      looked_at AS (SELECT NULL::bigint AS window_end),
      candidates AS (
        SELECT ${COLUMNS} FROM (${unionOf({ columns: COLUMNS, table: TABLE, branches, inOrder, limit: most })}) AS found
        ${inOrder} LIMIT ${most})`;
  }
  const wanted = types.length === 0 ? times : [...times, Prisma.sql`type = ANY(${types}::text[])`];
  return Prisma.sql`
    scanned AS MATERIALIZED (
      SELECT ${COLUMNS} FROM ${TABLE} WHERE ${given} ${inOrder} LIMIT ${MAX_SCANNED_SESSION_EVENTS}),
    looked_at AS (
      SELECT position AS window_end FROM scanned ${inOrder} OFFSET ${MAX_SCANNED_SESSION_EVENTS - 1}),
    candidates AS (
      SELECT ${COLUMNS} FROM scanned WHERE ${Prisma.join(wanted, ' AND ')} ${inOrder} LIMIT ${most})`;
}

function conditionsOf(query: ListSessionEvents): Prisma.Sql[] {
  const conditions = [
    // What the indexes of lists say of themselves.
    Prisma.sql`position >= 0`,
    // Nothing is kept up to there, however much that was.
    Prisma.sql`position > coalesce((SELECT position FROM read_model.retention_floors
      WHERE workspace_id = ${query.workspaceId} AND family = 'session'), 0)`,
    Prisma.sql`workspace_id = ${query.workspaceId}`,
    Prisma.sql`session_id = ${query.sessionId}`,
  ];
  if (query.after !== undefined) {
    conditions.push(Prisma.sql`position ${beyond(query)} ${boundedInteger(Math.floor(query.after))}`);
  }
  return conditions;
}
