import {
  asksForOwner,
  removesOnly,
  type DocumentContent,
  type DocumentName,
  type DocumentPatch,
  type WorkspaceDocumentChange,
} from '@sluice/projections';
import type { Queries } from './database';
import { encodeFields } from './document-fields';
import type { ModelSchema } from './rebuild/model-schemas';

/** Applies merged changes by one call of a function in the database, whatever their number. */
export async function applyWorkspaceDocuments(
  queries: Queries,
  changes: readonly WorkspaceDocumentChange[],
  schema: ModelSchema,
): Promise<void> {
  const removals = JSON.stringify(changes.flatMap(toRemoval));
  const rows = JSON.stringify(changes.flatMap(toRows));
  await queries.$executeRaw`
    SELECT ${schema}.change_workspace_documents(${removals}::text::json, ${rows}::text::json)`;
}

/** The id of a member begins with its group chat's; two ids of the longest would be too long for an index with a third. */
function nameColumns({ workspaceId, documentKind, id, owner }: DocumentName): object {
  const scope = documentKind === 'group_chat_member' ? '' : (owner?.id ?? '');
  return { workspace_id: workspaceId, kind: documentKind, id, scope };
}

function toRemoval(change: WorkspaceDocumentChange): readonly object[] {
  const itself = removesOnly(change.effect);
  const owned_before = change.removesOwnedBefore;
  return itself || owned_before !== undefined ? [{ ...nameColumns(change), itself, owned_before }] : [];
}

/** At most one of a change's rows applies. A member that is absent is null in the database. */
function toRows(change: WorkspaceDocumentChange): readonly object[] {
  const { effect, owner } = change;
  if (removesOnly(effect)) return [];
  const { replaces, patch, made, madeUnowned } = effect;
  const row = { ...nameColumns(change), owner_kind: owner?.kind, owner_id: owner?.id, replaces };
  const asks = asksForOwner(effect);
  return [
    { ...row, ...(asks && { if_owned: true }), ...(made && contentColumns(made)), ...(patch && patchColumns(patch)) },
    ...(asks && madeUnowned ? [{ ...row, if_owned: false, ...contentColumns(madeUnowned) }] : []),
  ];
}

function contentColumns(content: DocumentContent): object {
  const { short, long } = encodeFields(content.fields);
  return {
    parent_id: content.parentId,
    fields: short,
    texts: long,
    created_at: content.createdAt,
    created_position: content.createdPosition,
    updated_at: content.updatedAt,
    last_position: content.lastPosition,
  };
}

function patchColumns({ fields, endedRuns, updatedAt, lastPosition }: DocumentPatch): object {
  const { short, long } = encodeFields(fields);
  return {
    patch: short,
    patch_texts: long,
    ended_runs: endedRuns.size === 0 ? null : Object.fromEntries(endedRuns),
    patched_at: updatedAt,
    patched_position: lastPosition,
  };
}
