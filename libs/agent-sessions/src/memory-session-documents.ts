import { detached } from './detached';
import { pageOf } from './page-size';
import { comparePlaces, isBeyond } from './place-in-order';
import type {
  ListSessionDocuments,
  NewSessionDocument,
  SessionDocument,
  SessionDocumentKind,
  SessionDocumentPage,
  SessionDocuments,
} from './session-documents';

/** The readable one: keeps everything in this process. */
export class MemorySessionDocuments implements SessionDocuments {
  readonly #documents = new Map<string, SessionDocument>();

  async create(documents: readonly NewSessionDocument[]): Promise<boolean> {
    if (!this.#areFree(documents)) return false;
    for (const document of documents) this.#keep(document, 1);
    return true;
  }

  async find(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<SessionDocument | undefined> {
    const document = this.#documents.get(keyOf({ workspaceId, kind, id }));
    return document && detached(document);
  }

  async replace(
    document: NewSessionDocument,
    expectedVersion: number,
    also: readonly NewSessionDocument[] = [],
  ): Promise<number | undefined> {
    const present = this.#documents.get(keyOf(document));
    if (present?.version !== expectedVersion || !this.#areFree(also)) return undefined;
    this.#keep(document, expectedVersion + 1);
    for (const one of also) this.#keep(one, 1);
    return expectedVersion + 1;
  }

  async remove(workspaceId: number, kind: SessionDocumentKind, id: string): Promise<boolean> {
    return this.#documents.delete(keyOf({ workspaceId, kind, id }));
  }

  async list(query: ListSessionDocuments): Promise<SessionDocumentPage> {
    const { order, after } = query;
    const listed = [...this.#documents.values()]
      .filter((document) => isListed(document, query))
      .filter((document) => after === undefined || isBeyond(order, document, after))
      .sort((a, b) => comparePlaces(order, a, b));
    const { page, hasMore } = pageOf(listed, query.limit, ({ fields }) => fields);
    return { documents: page.map(detached), hasMore };
  }

  async expired(kind: SessionDocumentKind, nowMs: number, limit: number): Promise<readonly SessionDocument[]> {
    return [...this.#documents.values()]
      .flatMap((document) => (document.kind === kind && document.expiresAtMs !== null ? [document] : []))
      .filter(({ expiresAtMs }) => expiresAtMs !== null && expiresAtMs <= nowMs)
      .sort((a, b) => (a.expiresAtMs ?? 0) - (b.expiresAtMs ?? 0))
      .slice(0, limit)
      .map(detached);
  }

  async sum(workspaceId: number, kind: SessionDocumentKind, field: 'size_bytes'): Promise<number> {
    let total = 0;
    for (const document of this.#documents.values()) {
      const value = document.fields[field];
      if (document.workspaceId === workspaceId && document.kind === kind && typeof value === 'number') total += value;
    }
    return total;
  }

  #areFree(documents: readonly NewSessionDocument[]): boolean {
    const keys = new Set(documents.map(keyOf));
    return keys.size === documents.length && [...keys].every((key) => !this.#documents.has(key));
  }

  #keep(document: NewSessionDocument, version: number): void {
    this.#documents.set(keyOf(document), { ...detached(document), version });
  }
}

function keyOf({ workspaceId, kind, id }: Pick<SessionDocument, 'workspaceId' | 'kind' | 'id'>): string {
  return `${workspaceId}/${kind}/${id}`;
}

function isListed(document: SessionDocument, query: ListSessionDocuments): boolean {
  const { createdAtMs } = document;
  return (
    document.workspaceId === query.workspaceId &&
    document.kind === query.kind &&
    (query.includeArchived || document.archivedAtMs === null) &&
    (query.parentId === undefined || document.parentId === query.parentId) &&
    (query.ids === undefined || query.ids.includes(document.id)) &&
    (query.createdFromMs === undefined || createdAtMs >= query.createdFromMs) &&
    (query.createdUpToMs === undefined || createdAtMs <= query.createdUpToMs)
  );
}
