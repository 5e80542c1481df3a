import { AGENT_SESSION_STATUSES, type ListSessions } from '@sluice/agent-sessions';
import { Prisma } from './generated/client';
import { beyond, directed, rangeConditions, unionOf } from './ordered-pages';

const COLUMNS = Prisma.sql`session_id, created_at`;
const TABLE = Prisma.sql`agent_sessions.sessions`;

/**
 * One page of sessions. Each status, archived or not, is a part of an index in which sessions are in the order of the list:
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
  const { limit } = query;
  return Prisma.sql`
    SELECT s.agent, s.state
    FROM (
      SELECT ${COLUMNS} FROM (${unionOf({ columns: COLUMNS, table: TABLE, branches, inOrder, limit })}) AS found
      ${inOrder} LIMIT ${limit}
    ) AS page
    JOIN LATERAL (SELECT agent, state FROM ${TABLE} WHERE session_id = page.session_id OFFSET 0) AS s ON true
    ORDER BY page.created_at ${direction}, page.session_id ${direction}`;
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
  if (agentId !== undefined) conditions.push(Prisma.sql`agent_id = ${agentId}`);
  if (agentVersion !== undefined) conditions.push(Prisma.sql`agent_version = ${BigInt(agentVersion)}`);
  if (after !== undefined) {
    conditions.push(
      Prisma.sql`(created_at, session_id) ${beyond(query)} (${BigInt(after.createdAtMs)}::bigint, ${after.id}::text)`,
    );
  }
  return conditions;
}
