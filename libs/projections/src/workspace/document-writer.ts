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
}

/** Writes down what one event means for documents. */
export class DocumentWriter {
  constructor(private readonly event: RecordedEvent) {}

  /** Makes the document, or makes it anew; if it has an owner, only while that one exists. */
  put(kind: WorkspaceDocumentKind, id: string, fields: Fields, place: DocumentPlace = {}): WorkspaceDocumentChange {
    const { parentId, owner } = place;
    const content = this.content(fields, parentId);
    return this.change(kind, id, { action: 'put', content, ifOwned: owner !== undefined }, owner);
  }

  /** Changes the document if it exists. */
  patch(
    kind: WorkspaceDocumentKind,
    id: string,
    fields: Fields,
    endedRuns: DocumentPatch['endedRuns'] = new Map(),
  ): WorkspaceDocumentChange {
    return this.change(kind, id, { action: 'patch', patch: this.patchOf(fields, endedRuns) });
  }

  /** Changes the document if it exists, else makes it. */
  putOrPatch(kind: WorkspaceDocumentKind, id: string, fields: Fields): WorkspaceDocumentChange {
    const patch = this.patchOf(fields, new Map());
    return this.change(kind, id, { action: 'patch', patch, otherwise: this.content(fields) });
  }

  remove(kind: WorkspaceDocumentKind, id: string, owner?: DocumentOwner): WorkspaceDocumentChange {
    return this.change(kind, id, { action: 'remove' }, owner);
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
