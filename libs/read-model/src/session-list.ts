import { AGENT_SESSION_STATUSES, MAX_LISTED_BYTES, type ListSessions } from '@sluice/agent-sessions';
import { Prisma } from './generated/client';
import { beyond, directed, rangeConditions, unionOf } from './ordered-pages';

const COLUMNS = Prisma.sql`session_id, created_at`;
const TABLE = Prisma.sql`agent_sessions.sessions`;

/**
 * One page of sessions, and whether there are more. Each status, archived or not, is a part of an index in which sessions are in the order of the list:
 * whatever is asked for, the database reads the beginnings of a few of these parts.
 */
export function listSessions(query: ListSessions): Prisma.Sql {
  const direction = directed(query);
  const given = Prisma.join(conditionsOf(query), ' AND ');
  const branches = archivedOrNot(query).flatMap((archived) =>
    [...new Set(query.statuses ?? AGENT_SESSION_STATUSES)].map(
      (status) => Prisma.sql`${given} AND ${archived} AND status = ${status}`,
    ),
  );
  const inOrder = Prisma.sql`ORDER BY created_at ${direction}, session_id ${direction}`;
  // One more than is shown tells whether there are more.
  const limit = query.limit + 1;
  // The sizes alone are looked at: a text that is stored out of line is not fetched unless it is in the page.
  return Prisma.sql`
    SELECT agent, state, has_more FROM (
      SELECT ${COLUMNS}, agent, state, lead(session_id) OVER listed IS NOT NULL AS has_more,
        row_number() OVER listed AS place, sum(octet_length(agent) + octet_length(state)) OVER listed AS bytes_to_here
      FROM (
        SELECT found.session_id, found.created_at, s.agent, s.state
        FROM (
          SELECT ${COLUMNS} FROM (${unionOf({ columns: COLUMNS, table: TABLE, branches, inOrder, limit })}) AS found
          ${inOrder} LIMIT ${limit}
        ) AS found
        JOIN LATERAL (SELECT agent, state FROM ${TABLE} WHERE session_id = found.session_id OFFSET 0) AS s ON true
      ) AS sized WINDOW listed AS (${inOrder})
    ) AS measured
    WHERE place <= ${query.limit} AND (bytes_to_here <= ${MAX_LISTED_BYTES} OR place = 1)
    ${inOrder}`;
}

/** Conditions that together meet all that is listed; written out, so that an index with the condition is known to serve. */
export function archivedOrNot({ includeArchived }: { readonly includeArchived: boolean }): readonly Prisma.Sql[] {
  return includeArchived ? [Prisma.sql`NOT archived`, Prisma.sql`archived`] : [Prisma.sql`NOT archived`];
}

/** Names the index that the list is for: a condition that all sessions meet, and that only this index has. */
function namedIndex({ agentId, agentVersion }: ListSessions): Prisma.Sql {
  if (agentId === undefined) return Prisma.sql`session_id >= ''`;
  return agentVersion === undefined ? Prisma.sql`session_id <> ''` : Prisma.sql`agent_version >= 0`;
}

function conditionsOf(query: ListSessions): Prisma.Sql[] {
  const { agentId, agentVersion, after } = query;
  const conditions = [
    Prisma.sql`deleted_at IS NULL`,
    namedIndex(query),
    Prisma.sql`workspace_id = ${query.workspaceId}`,
    ...rangeConditions(Prisma.sql`created_at`, {
      afterMs: query.createdAfterMs,
      fromMs: query.createdFromMs,
      beforeMs: query.createdBeforeMs,
      upToMs: query.createdUpToMs,
    }),
  ];
  if (agentId !== undefined) {
    conditions.push(Prisma.sql`agent_id = ${agentId}`);
    if (agentVersion !== undefined) conditions.push(Prisma.sql`agent_version = ${BigInt(agentVersion)}`);
  }
  if (after !== undefined) {
    conditions.push(
      Prisma.sql`(created_at, session_id) ${beyond(query)} (${BigInt(after.createdAtMs)}::bigint, ${after.id}::text)`,
    );
  }
  return conditions;
}
