import type { EntityRef } from '@sluice/event-log';
import type { WorkspaceEntityKind } from '@sluice/event-schema';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';

/** Deletes the rows of all projections that the events of an entity made. */
export async function deleteRowsOf(queries: Queries, { workspaceId, family, entityId }: EntityRef): Promise<void> {
  const inWorkspace = Prisma.sql`workspace_id = ${workspaceId}::int`;
  switch (family) {
    case 'sandbox':
      await queries.$executeRaw`DELETE FROM read_model.sandboxes WHERE ${inWorkspace} AND sandbox_id = ${entityId}`;
      return;
    case 'session':
      await queries.$executeRaw`DELETE FROM read_model.session_events WHERE ${inWorkspace} AND session_id = ${entityId}`;
      return;
    case 'workspace':
      return deleteDocumentsOf(queries, inWorkspace, entityId);
    case 'registry':
      throw new Error('events of registries are not erased');
  }
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
