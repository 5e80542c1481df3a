import {
  documentKey,
  ownerKey,
  patchContent,
  removesOnly,
  type DocumentContent,
  type WorkspaceDocumentChange,
} from './document-change';
import {
  MAX_DUE_DOCUMENTS,
  MAX_LISTED_DOCUMENTS,
  type CountWaitingDocuments,
  type DueWorkspaceDocuments,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from './documents';
import { inTurns } from './turns';

interface StoredDocument {
  readonly document: WorkspaceDocument;
  readonly content: DocumentContent;
  /** The key of its owner. */
  readonly owner: string | undefined;
}

/** WorkspaceDocuments in the memory of one process: for tests, and the readable specification of what changes do. */
export class MemoryWorkspaceDocuments implements WorkspaceDocuments {
  private readonly stored = new Map<string, StoredDocument>();

  /** Makes merged changes, all of them before anything can be read. */
  apply(changes: readonly WorkspaceDocumentChange[]): void {
    for (const change of changes) {
      const { removesOwnedBefore } = change;
      if (removesOwnedBefore !== undefined) this.removeOwned(documentKey(change), removesOwnedBefore);
      if (removesOnly(change.effect)) this.stored.delete(documentKey(change));
    }
    // What a change asks of its owner is asked of what was there before any of them.
    const made = changes.map((change) => ({ change, content: this.contentAfter(change) }));
    for (const { change, content } of made) if (content) this.keep(change, content);
  }

  async find(workspaceId: number, kind: WorkspaceDocumentKind, id: string): Promise<WorkspaceDocument | undefined> {
    return this.documentsOf(kind).find((document) => document.workspaceId === workspaceId && document.id === id);
  }

  async list(query: ListWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    const { workspaceId, kind, parentId, after, order = 'ascending', limit } = query;
    const sign = order === 'ascending' ? 1 : -1;
    return this.documentsOf(kind)
      .filter((document) => document.workspaceId === workspaceId)
      .filter((document) => parentId === undefined || document.parentId === parentId)
      .filter(({ createdPosition }) => after === undefined || sign * (createdPosition - after) > 0)
      .sort((a, b) => sign * (a.createdPosition - b.createdPosition))
      .slice(0, Math.min(limit, MAX_LISTED_DOCUMENTS));
  }

  async due({ kind, dueBefore, limit }: DueWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    const due = this.documentsOf(kind).filter(({ dueAt }) => dueAt !== undefined && dueAt <= dueBefore);
    return inTurns(due).slice(0, Math.min(limit, MAX_DUE_DOCUMENTS));
  }

  async countWaiting({ workspaceId, kind, atMost }: CountWaitingDocuments): Promise<number> {
    const waiting = this.documentsOf(kind).filter((d) => d.workspaceId === workspaceId && d.dueAt !== undefined);
    return Math.min(waiting.length, atMost);
  }

  private documentsOf(kind: WorkspaceDocumentKind): WorkspaceDocument[] {
    return [...this.stored.values()].flatMap(({ document }) => (document.kind === kind ? [document] : []));
  }

  private removeOwned(owner: string, before: number): void {
    for (const [key, stored] of this.stored) {
      if (stored.owner === owner && stored.content.createdPosition < before) this.stored.delete(key);
    }
  }

  /** Undefined where nothing happens. */
  private contentAfter(change: WorkspaceDocumentChange): DocumentContent | undefined {
    const { replaces, patch, made, madeUnowned } = change.effect;
    const stored = this.stored.get(documentKey(change));
    if (stored && !replaces) return patch && patchContent(stored.content, patch);
    const owner = ownerKey(change);
    return owner === undefined || this.stored.has(owner) ? made : madeUnowned;
  }

  private keep(change: WorkspaceDocumentChange, content: DocumentContent): void {
    const { workspaceId, documentKind: kind, id } = change;
    const dueAt = dueAtOf(kind, content.fields);
    const document = { workspaceId, kind, id, ...content, ...(dueAt === undefined ? {} : { dueAt }) };
    this.stored.set(documentKey(change), { document, content, owner: ownerKey(change) });
  }
}

/** A cron job is due at its next run while it is enabled, and a run at its deadline. */
function dueAtOf(kind: WorkspaceDocumentKind, fields: DocumentContent['fields']): number | undefined {
  const instant =
    kind === 'cron_job' ? fields['enabled'] === true && fields['next_run_at'] : kind === 'run' && fields['deadline_at'];
  return typeof instant === 'number' ? instant : undefined;
}
