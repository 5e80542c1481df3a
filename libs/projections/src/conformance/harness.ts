import type { EncodedEnvelope } from '@sluice/event-schema';
import type { WorkspaceDocument, WorkspaceDocumentKind, WorkspaceDocuments } from '../workspace/documents';

/** One read model with nothing in it, and what reads its documents. */
export interface WorkspaceDocumentsHarness {
  readonly documents: WorkspaceDocuments;
  /** Records events in one batch, after those of the batches before. */
  record(envelopes: readonly EncodedEnvelope[]): Promise<void>;
  /** Lets go of the read model and everything that was opened. */
  destroy(): Promise<void>;
}

/** The harness of the test that runs. */
export type CurrentHarness = () => WorkspaceDocumentsHarness;

/** All documents of one kind in workspace 1, by id. */
export async function byId(
  { documents }: WorkspaceDocumentsHarness,
  kind: WorkspaceDocumentKind,
): Promise<Readonly<Record<string, WorkspaceDocument>>> {
  const listed = await documents.list({ workspaceId: 1, kind, limit: 1000 });
  return Object.fromEntries(listed.map((document) => [document.id, document]));
}

/** The ids of all documents of one kind in workspace 1, in their order. */
export async function idsOf(harness: WorkspaceDocumentsHarness, kind: WorkspaceDocumentKind): Promise<string[]> {
  return (await harness.documents.list({ workspaceId: 1, kind, limit: 1000 })).map(({ id }) => id);
}

export async function fieldsOf(
  { documents }: WorkspaceDocumentsHarness,
  kind: WorkspaceDocumentKind,
  id: string,
): Promise<WorkspaceDocument['fields'] | undefined> {
  return (await documents.find(1, kind, id))?.fields;
}
