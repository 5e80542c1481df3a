import type { EncodedEnvelope, RecordedEvent, WorkspaceEventType } from '@sluice/event-schema';
import { recordEnvelope } from '@sluice/event-schema';
import { toPosition } from '@sluice/event-log';
import fc from 'fast-check';
import { workspaceHistory } from '../conformance/workspace-history';
import { changesOfKind } from '../change';
import { mergeChanges, projectEvent } from '../project';
import { documentKey, type WorkspaceDocumentChange } from './document-change';
import { WORKSPACE_DOCUMENT_KINDS } from './documents';
import { MemoryWorkspaceDocuments } from './memory-workspace-documents';
import { mergeWorkspaceDocuments } from './merge-documents';

const RUNS = { numRuns: 300 };

const recorded = (history: readonly (readonly EncodedEnvelope[])[]): RecordedEvent[] =>
  history.flat().map((envelope, index) => {
    const recording = { position: toPosition(index + 1), entitySequence: 1, recordedAt: 1 };
    return recordEnvelope(envelope, recording).event;
  });

const changesOf = (events: readonly RecordedEvent[]) =>
  changesOfKind('workspace_document', events.flatMap(projectEvent));

/** The events in batches that end at the cuts. */
function cut(events: readonly RecordedEvent[], cuts: readonly number[]): RecordedEvent[][] {
  const ends = [...cuts.filter((end) => end < events.length), events.length].sort((a, b) => a - b);
  return ends.map((end, index) => events.slice(ends[index - 1] ?? 0, end));
}

const CREATIONS: ReadonlySet<string> = new Set<WorkspaceEventType>([
  'task_created',
  'session_created',
  'group_chat_created',
  'group_chat_member_joined',
  'group_chat_session_created',
  'cron_job_created',
]);

const inspect = (value: unknown) =>
  JSON.stringify(value, (_, member: unknown) => (member instanceof Map ? [...member] : member));

async function documentsAfter(batches: readonly (readonly WorkspaceDocumentChange[])[]) {
  const documents = new MemoryWorkspaceDocuments();
  for (const batch of batches) documents.apply(batch);
  return everythingIn(documents);
}

async function everythingIn(documents: MemoryWorkspaceDocuments) {
  const lists = [1, 2].flatMap((workspaceId) =>
    WORKSPACE_DOCUMENT_KINDS.map((kind) => documents.list({ workspaceId, kind, limit: 1000 })),
  );
  return (await Promise.all(lists)).flat();
}

const cuts = fc.array(fc.nat(120), { maxLength: 6 });

describe('mergeWorkspaceDocuments', () => {
  it('leaves what the events leave one by one, however they are cut into batches (G10)', async () => {
    await fc.assert(
      fc.asyncProperty(workspaceHistory, cuts, async (history, ends) => {
        const events = recorded(history);
        const merged = cut(events, ends).map((batch) => mergeWorkspaceDocuments(changesOf(batch)));
        const oneByOne = events.map((event) => changesOf([event]));
        expect(await documentsAfter(merged)).toEqual(await documentsAfter(oneByOne));
      }),
      RUNS,
    );
  });

  it('can be merged again', async () => {
    await fc.assert(
      fc.asyncProperty(workspaceHistory, cuts, fc.nat(60), async (history, ends, start) => {
        const events = recorded(history);
        // Some documents are there before.
        const before = events.slice(0, start).map((event) => changesOf([event]));
        const rest = cut(events.slice(start), ends).map((batch) => mergeWorkspaceDocuments(changesOf(batch)));
        const again = [...before, mergeWorkspaceDocuments(rest.flat())];
        expect(await documentsAfter(again)).toEqual(await documentsAfter([...before, ...rest]));
      }),
      RUNS,
    );
  });

  it('changes nothing that exists by a creation', async () => {
    await fc.assert(
      fc.asyncProperty(workspaceHistory, async (history) => {
        const documents = new MemoryWorkspaceDocuments();
        for (const event of recorded(history)) {
          const before = await everythingIn(documents);
          documents.apply(changesOf([event]));
          if (CREATIONS.has(event.type)) expect(await everythingIn(documents)).toEqual(expect.arrayContaining(before));
        }
      }),
      { numRuns: 100 },
    );
  });

  it('names each document once, and leaves events and changes as they are', () => {
    fc.assert(
      fc.property(workspaceHistory, (history) => {
        const events = recorded(history);
        const changes = changesOf(events);
        const before = inspect([events, changes]);
        const names = mergeWorkspaceDocuments(changes).map(documentKey);
        expect(new Set(names).size).toBe(names.length);
        expect(inspect([events, changes])).toBe(before);
      }),
      { numRuns: 50 },
    );
  });

  it('needs no change for none', () => {
    expect(mergeChanges([])).toEqual([]);
    expect(mergeWorkspaceDocuments([])).toEqual([]);
  });
});
