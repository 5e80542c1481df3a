import type { EntityRef } from '@sluice/event-log';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';

/** Most rows of one table that one transaction deletes. */
export const MAX_ROWS = 5_000;

/** What is kept of a session, under its id; the session itself comes last. */
const TABLES = ['events', 'outbox', 'waiting_outboxes', 'receipts', 'dispatches', 'deadlines', 'sessions'];

/**
 * Erases what the app of sessions keeps of a deleted session. The bytes of its files are removed by that app: the files are
 * made notes of bytes that are left over, for its sweep.
 */
export async function eraseSession(
  queries: Queries,
  { workspaceId, entityId: sessionId }: EntityRef,
): Promise<'more' | 'waiting' | 'done'> {
  const [other] = await queries.$queryRaw<object[]>`
    SELECT session_id FROM agent_sessions.sessions
    WHERE session_id = ${sessionId} AND (workspace_id <> ${workspaceId}::int OR deleted_at IS NULL) FOR UPDATE`;
  // The entity only has the name of somebody else's session.
  if (other) return 'done';
  for (const table of TABLES) {
    const from = Prisma.raw(`agent_sessions.${table}`);
    const deleted = await queries.$executeRaw`
      DELETE FROM ${from} WHERE ctid = ANY(ARRAY(
        SELECT ctid FROM ${from} WHERE session_id = ${sessionId} LIMIT ${MAX_ROWS}))`;
    if (deleted === MAX_ROWS) return 'more';
  }
  // Receipts of requests that make sessions are in a scope of the workspace.
  await queries.$executeRaw`
    DELETE FROM agent_sessions.receipts
    WHERE session_id = ${`create/${workspaceId}`} AND strpos(answer, ${JSON.stringify(sessionId)}) > 0`;
  const ofSession = Prisma.sql`workspace_id = ${workspaceId}::int AND parent_id = ${sessionId}`;
  await queries.$executeRaw`DELETE FROM agent_sessions.documents WHERE ${ofSession} AND kind = 'repository_token'`;
  await queries.$executeRaw`
    WITH files AS (
      DELETE FROM agent_sessions.documents WHERE ${ofSession} AND kind = 'file'
      RETURNING workspace_id, fields::json ->> 'bytes_id' AS bytes_id, parent_id, created_at, updated_at, version
    )
    INSERT INTO agent_sessions.documents (workspace_id, kind, id, parent_id, created_at, updated_at, archived, expires_at,
      version, size_bytes, fields)
    SELECT workspace_id, 'file_bytes', bytes_id, parent_id, created_at, updated_at, false, 0, version, 0, '{"size_bytes":0}'
    FROM files ON CONFLICT (workspace_id, kind, id) DO NOTHING`;
  const [left] = await queries.$queryRaw<{ is_left: boolean }[]>`
    SELECT EXISTS (SELECT FROM agent_sessions.documents WHERE ${ofSession} AND kind = 'file_bytes') AS is_left`;
  return left?.is_left ? 'waiting' : 'done';
}
