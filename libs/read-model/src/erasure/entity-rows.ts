import type { EntityRef } from '@sluice/event-log';
import type { WorkspaceEntityKind } from '@sluice/event-schema';
import { changesOfKind, WORKSPACE_DOCUMENT_KINDS, type Change } from '@sluice/projections';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';

/**
 * Deletes what events at these positions added to projections. Rows that these changed otherwise stay as they are until what
 * the entity made is made anew.
 */
export async function deleteMadeAt(
  queries: Queries,
  { workspaceId, family, entityId }: EntityRef,
  positions: readonly string[],
): Promise<void> {
  const inWorkspace = Prisma.sql`workspace_id = ${workspaceId}::int`;
  if (family === 'session') {
    await queries.$executeRaw`
      DELETE FROM read_model.session_events
      WHERE ${inWorkspace} AND session_id = ${entityId} AND position >= 0 AND position = ANY(${[...positions]}::bigint[])`;
  }
  if (family === 'workspace') {
    await queries.$executeRaw`
      DELETE FROM read_model.workspace_documents
      WHERE ${inWorkspace} AND kind = ANY(${[...WORKSPACE_DOCUMENT_KINDS]}) AND created_position = ANY(${[...positions]}::bigint[])`;
  }
}

/** Deletes the rows of all projections that the events of an entity made, but for those that are as they are to be made. */
export async function deleteRowsOf(queries: Queries, entity: EntityRef, made: readonly Change[]): Promise<void> {
  const { workspaceId, family, entityId } = entity;
  const inWorkspace = Prisma.sql`workspace_id = ${workspaceId}::int`;
  switch (family) {
    case 'sandbox':
      await queries.$executeRaw`DELETE FROM read_model.sandboxes WHERE ${inWorkspace} AND sandbox_id = ${entityId}`;
      return;
    case 'session':
      return deleteSessionEvents(queries, entity, made);
    case 'workspace':
      return deleteDocumentsOf(queries, inWorkspace, entityId);
    case 'registry':
      throw new Error('events of registries are not erased');
  }
}

/** A session may have tens of thousands, and to take a text out changes none. */
async function deleteSessionEvents(
  queries: Queries,
  { workspaceId, entityId }: EntityRef,
  made: readonly Change[],
): Promise<void> {
  const events = changesOfKind('session_event', made).flatMap(({ added }) => added);
  await queries.$executeRaw`
    DELETE FROM read_model.session_events e
    WHERE workspace_id = ${workspaceId}::int AND session_id = ${entityId} AND NOT EXISTS (
      SELECT FROM unnest(
        ${events.map(({ id }) => id)}::text[],
        ${events.map(({ position }) => BigInt(position))}::bigint[],
        ${events.map(({ type }) => type)}::text[],
        ${events.map(({ processedAtMs }) => (processedAtMs === null ? null : BigInt(processedAtMs)))}::bigint[]
      ) AS m (event_id, position, type, processed_at)
      WHERE m.event_id = e.event_id AND m.position = e.position AND m.type = e.type
        AND m.processed_at IS NOT DISTINCT FROM e.processed_at)`;
}

/** A document by its own name. */
const named = (kind: string, id: string) => Prisma.sql`kind = ${kind} AND id = ${id}`;

/** What goes with a document. */
const ownedBy = (kind: string, id: string) => Prisma.sql`owner_kind = ${kind} AND owner_id = ${id}`;

/** Runs, which no owner has. Their fields are JSON texts. */
const runs = (kind: string, more: Prisma.Sql) =>
  Prisma.sql`kind = 'run' AND fields ->> 'kind' = ${JSON.stringify(kind)} AND ${more}`;

/** Conditions of the documents of each kind of entity, by its id without the kind. */
const DOCUMENTS: { readonly [K in WorkspaceEntityKind]: (id: string) => readonly Prisma.Sql[] } = {
  task: (id) => [named('task', id)],
  session: (id) => [named('session', id), ownedBy('session', id), runs('agent', Prisma.sql`id = ${id}`)],
  group: (id) => [
    named('group_chat', id),
    ownedBy('group_chat', id),
    runs('group_chat', Prisma.sql`fields ->> 'group_chat_id' = ${JSON.stringify(id)}`),
  ],
  cron: (id) => [named('cron_job', id), runs('cron', Prisma.sql`parent_id = ${id}`)],
};

/** What an owner that is gone owned is hidden, and deleted bit by bit: that goes with the rest. */
const OWNERS: { readonly [K in WorkspaceEntityKind]?: string } = { session: 'session', group: 'group_chat' };

async function deleteDocumentsOf(queries: Queries, inWorkspace: Prisma.Sql, entityId: string): Promise<void> {
  const slash = entityId.indexOf('/');
  const kind = entityId.slice(0, slash);
  if (!isEntityKind(kind)) return;
  const id = entityId.slice(slash + 1);
  for (const condition of DOCUMENTS[kind](id)) {
    await queries.$executeRaw`DELETE FROM read_model.workspace_documents WHERE ${inWorkspace} AND ${condition}`;
  }
  const owner = OWNERS[kind];
  if (owner === undefined) return;
  await queries.$executeRaw`
    DELETE FROM read_model.workspace_removals WHERE ${inWorkspace} AND owner_kind = ${owner} AND owner_id = ${id}`;
}

function isEntityKind(kind: string): kind is WorkspaceEntityKind {
  return Object.hasOwn(DOCUMENTS, kind);
}
