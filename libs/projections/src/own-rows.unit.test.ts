import { toPosition } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import fc from 'fast-check';
import type { Change } from './change';
import { sessionHistory, workspaceHistory } from './conformance';
import { projectEvent } from './project';
import { documentKey } from './workspace/document-change';

/** What names the row of a change; undefined for those of registries, which are never made anew by entity. */
function rowOf(change: Change): string | undefined {
  switch (change.kind) {
    case 'sandbox_activity':
      return JSON.stringify([change.kind, change.workspaceId, change.sandboxId]);
    case 'session_event':
      return JSON.stringify([change.kind, change.workspaceId, change.sessionId]);
    case 'workspace_document':
      // Of runs ids are unique only where they are made.
      return change.documentKind === 'run' ? undefined : `${change.kind} ${documentKey(change)}`;
    case 'agent':
      return undefined;
  }
}

const entityOf = ({ event }: EncodedEnvelope) => JSON.stringify([event.workspaceId, event.family, event.entityId]);

/** So what one entity made can be deleted and made anew without a look at any other. */
it.each([
  ['workspace', workspaceHistory],
  ['session', sessionHistory],
])('the changes of an event of the family %s name only rows of its own entity', (_family, histories) => {
  const owners = new Map<string, string>();
  fc.assert(
    fc.property(histories, (history) => {
      for (const envelope of history.flat()) {
        const recorded = { ...envelope.event, position: toPosition(1), entitySequence: 1, recordedAt: 0 };
        for (const change of projectEvent(recorded)) {
          const row = rowOf(change);
          if (row === undefined) continue;
          if (!owners.has(row)) owners.set(row, entityOf(envelope));
          expect(owners.get(row)).toBe(entityOf(envelope));
        }
      }
    }),
    { numRuns: 100 },
  );
  expect(new Set(owners.values()).size).toBeGreaterThan(3);
});
