import type { RecordedEvent } from '@sluice/event-schema';
import {
  definedFields,
  type DocumentContent,
  type DocumentEffect,
  type DocumentOwner,
  type DocumentPatch,
  type WorkspaceDocumentChange,
} from './document-change';
import type { WorkspaceDocumentKind } from './documents';

type Fields = Readonly<Record<string, unknown>>;

export interface DocumentPlace {
  readonly parentId?: string;
  readonly owner?: DocumentOwner;
  /** The event itself makes the owner, or leaves it as it is. */
  readonly makesOwner?: boolean;
}

const NOTHING: DocumentEffect = { replaces: false, patch: undefined, made: undefined, madeUnowned: undefined };

/** Writes down what one event means for documents. */
export class DocumentWriter {
  constructor(private readonly event: RecordedEvent) {}

  /** Makes the document, or makes it anew; if it has an owner, only while that one exists. */
  put(kind: WorkspaceDocumentKind, id: string, fields: Fields, place: DocumentPlace = {}): WorkspaceDocumentChange {
    return this.change(kind, id, { ...this.made(fields, place), replaces: true }, place.owner);
  }

  /** Makes the document unless it exists: who was first keeps it. If it has an owner, only while that one exists. */
  create(kind: WorkspaceDocumentKind, id: string, fields: Fields, place: DocumentPlace = {}): WorkspaceDocumentChange {
    return this.change(kind, id, this.made(fields, place), place.owner);
  }

  /** Changes the document if it exists. */
  patch(
    kind: WorkspaceDocumentKind,
    id: string,
    fields: Fields,
    endedRuns: DocumentPatch['endedRuns'] = new Map(),
  ): WorkspaceDocumentChange {
    return this.change(kind, id, { ...NOTHING, patch: this.patchOf(fields, endedRuns) });
  }

  /** Changes the document if it exists, else makes it. */
  putOrPatch(kind: WorkspaceDocumentKind, id: string, fields: Fields): WorkspaceDocumentChange {
    return this.change(kind, id, { ...this.made(fields, {}), patch: this.patchOf(fields, new Map()) });
  }

  remove(kind: WorkspaceDocumentKind, id: string, owner?: DocumentOwner): WorkspaceDocumentChange {
    return this.change(kind, id, { ...NOTHING, replaces: true }, owner);
  }

  /** Removes the document and all that it owns. */
  removeWithOwned(kind: DocumentOwner['kind'], id: string): WorkspaceDocumentChange {
    return { ...this.remove(kind, id), removesOwnedBefore: this.event.position };
  }

  private change(
    documentKind: WorkspaceDocumentKind,
    id: string,
    effect: DocumentEffect,
    owner?: DocumentOwner,
  ): WorkspaceDocumentChange {
    const { workspaceId } = this.event;
    const name = { workspaceId, documentKind, id, ...(owner === undefined ? {} : { owner }) };
    return { kind: 'workspace_document', ...name, effect };
  }

  private made(fields: Fields, { parentId, owner, makesOwner = false }: DocumentPlace): DocumentEffect {
    const made = this.content(fields, parentId);
    return { ...NOTHING, made, madeUnowned: owner && !makesOwner ? undefined : made };
  }

  private content(fields: Fields, parentId?: string): DocumentContent {
    const { occurredAt, position } = this.event;
    return {
      ...(parentId === undefined ? {} : { parentId }),
      fields: definedFields(fields),
      createdAt: occurredAt,
      updatedAt: occurredAt,
      createdPosition: position,
      lastPosition: position,
    };
  }

  private patchOf(fields: Fields, endedRuns: DocumentPatch['endedRuns']): DocumentPatch {
    return { fields, endedRuns, updatedAt: this.event.occurredAt, lastPosition: this.event.position };
  }
}
