import { createHash } from 'node:crypto';
import type {
  ListSessionDocuments,
  NewSessionDocument,
  SessionDocument,
  SessionDocumentKind,
  SessionDocuments,
} from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import type { Repetition } from '../http/sdk-door';
import { newId, type IdPrefix } from '../new-ids';
import { requireDocumentSize } from './size-limits';

/** How often a change is decided again because another one was first. */
const MAX_TRIES = 20;
const RETRY_AFTER_MS = 200;

/** What a shelf holds. */
export interface ShelfOptions {
  readonly kind: SessionDocumentKind;
  readonly prefix: IdPrefix;
  readonly missing: () => SluiceError;
}

/** What becomes of a document. What is not given stays. */
export interface DocumentChange {
  readonly fields?: SessionDocument['fields'];
  /** Null would bring it back; no door does. */
  readonly archived?: true;
  /** Stored with it, or not at all. */
  readonly also?: (changed: NewSessionDocument) => readonly NewSessionDocument[];
}

/** A part of a list. */
export interface DocumentPage {
  readonly documents: readonly SessionDocument[];
  /** The last one of them when there are more. */
  readonly last: SessionDocument | undefined;
}

/** The documents of one kind, as doors make, change and list them. */
export class Shelf {
  constructor(
    private readonly documents: SessionDocuments,
    private readonly clock: Clock,
    private readonly options: ShelfOptions,
  ) {}

  /** A document that is not stored yet. Its id is the same when a call is repeated with the same key and body. */
  draft(
    workspaceId: number,
    fields: SessionDocument['fields'],
    { repetition, parentId = null }: { readonly repetition?: Repetition; readonly parentId?: string | null } = {},
  ): NewSessionDocument {
    const { kind, prefix } = this.options;
    const nowMs = this.clock.now();
    return {
      workspaceId,
      kind,
      id: repeatableId(prefix, repetition),
      parentId,
      createdAtMs: nowMs,
      updatedAtMs: nowMs,
      archivedAtMs: null,
      expiresAtMs: null,
      fields,
    };
  }

  /**
   * Stores new ones, the first of which is of this shelf; gives that, or the one that a call before made of the same key.
   * @throws SluiceError `payload_too_large`
   */
  async create(draft: NewSessionDocument, also: readonly NewSessionDocument[] = []): Promise<SessionDocument> {
    for (const { fields } of [draft, ...also]) requireDocumentSize(fields);
    if (await this.documents.create([draft, ...also])) return { ...draft, version: 1 };
    return this.require(draft.workspaceId, draft.id);
  }

  /** @param parentId what it has to belong to, where that matters */
  async require(workspaceId: number, id: string, parentId?: string): Promise<SessionDocument> {
    const found = await this.documents.find(workspaceId, this.options.kind, id);
    if (!found || (parentId !== undefined && found.parentId !== parentId)) throw this.options.missing();
    return found;
  }

  /**
   * Decides on the document as it is, again when another change comes first. Undefined leaves it.
   * @throws SluiceError `not_found`, `payload_too_large`, `overloaded`
   */
  async change(
    workspaceId: number,
    id: string,
    decide: (before: SessionDocument) => DocumentChange | undefined,
    parentId?: string,
  ): Promise<SessionDocument> {
    for (let attempt = 0; attempt < MAX_TRIES; attempt++) {
      const before = await this.require(workspaceId, id, parentId);
      const change = decide(before);
      if (change === undefined) return before;
      // Later than before on any clock: versions are told apart by it.
      const updatedAtMs = Math.max(this.clock.now(), before.updatedAtMs + 1);
      const { version: expected, ...rest } = before;
      const after: NewSessionDocument = {
        ...rest,
        updatedAtMs,
        ...(change.fields !== undefined && { fields: change.fields }),
        ...(change.archived && { archivedAtMs: updatedAtMs }),
      };
      requireDocumentSize(after.fields);
      const version = await this.documents.replace(after, expected, change.also?.(after));
      if (version !== undefined) return { ...after, version };
    }
    throw new SluiceError('overloaded', 'Too many change it at once', { retryAfterMs: RETRY_AFTER_MS });
  }

  async remove(workspaceId: number, id: string): Promise<void> {
    if (!(await this.documents.remove(workspaceId, this.options.kind, id))) throw this.options.missing();
  }

  async page(query: Omit<ListSessionDocuments, 'kind'>): Promise<DocumentPage> {
    const { documents, hasMore } = await this.documents.list({ ...query, kind: this.options.kind });
    return { documents, last: hasMore ? documents.at(-1) : undefined };
  }
}

/** Time as the SDK has it. */
export const toTime = (ms: number) => new Date(ms).toISOString();

/** What every document shows of its times. */
export function timesOf({ createdAtMs, updatedAtMs, archivedAtMs }: NewSessionDocument) {
  return {
    archived_at: archivedAtMs === null ? null : toTime(archivedAtMs),
    created_at: toTime(createdAtMs),
    updated_at: toTime(updatedAtMs),
  };
}

/** Characters of an id after its prefix. */
const ID_LENGTH = 32;

/** A fresh id, or the one of the call that is repeated. */
export function repeatableId(prefix: IdPrefix, repetition: Repetition | undefined): string {
  if (repetition?.key === undefined) return newId(prefix);
  const hash = createHash('sha256').update(JSON.stringify([repetition.key, repetition.requestHash]));
  return `${prefix}_${hash.digest('hex').slice(0, ID_LENGTH)}`;
}
