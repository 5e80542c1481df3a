import type { WorkspaceDocument } from './documents';

/** Documents that are due, in the order of `WorkspaceDocuments.due`. */
export function inTurns(documents: readonly WorkspaceDocument[]): WorkspaceDocument[] {
  const earliestFirst = [...documents].sort((a, b) => dueAt(a) - dueAt(b) || a.createdPosition - b.createdPosition);
  const taken = new Map<number, number>();
  const turns: WorkspaceDocument[][] = [];
  for (const document of earliestFirst) {
    const turn = taken.get(document.workspaceId) ?? 0;
    taken.set(document.workspaceId, turn + 1);
    (turns[turn] ??= []).push(document);
  }
  return turns.flat();
}

const dueAt = (document: WorkspaceDocument) => document.dueAt ?? Infinity;
