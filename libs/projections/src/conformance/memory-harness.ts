import { toPosition } from '@sluice/event-log';
import { recordEnvelope, type EncodedEnvelope } from '@sluice/event-schema';
import { changesOfKind } from '../change';
import { mergeChanges, projectEvent } from '../project';
import { MemoryWorkspaceDocuments } from '../workspace/memory-workspace-documents';
import type { WorkspaceDocumentsHarness } from './harness';

/** Documents in memory, with positions as a read model gives them. */
export function memoryHarness(): WorkspaceDocumentsHarness {
  const documents = new MemoryWorkspaceDocuments();
  const known = new Set<string>();
  const recorded = (envelope: EncodedEnvelope) => {
    known.add(envelope.event.id);
    return recordEnvelope(envelope, { position: toPosition(known.size), entitySequence: 1, recordedAt: 1 }).event;
  };
  return {
    documents,
    record: async (envelopes) => {
      const events = envelopes.flatMap((envelope) => (known.has(envelope.event.id) ? [] : [recorded(envelope)]));
      documents.apply(changesOfKind('workspace_document', mergeChanges(events.flatMap(projectEvent))));
    },
    destroy: async () => undefined,
  };
}
