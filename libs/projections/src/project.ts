import type { EventFamily, RecordedEvent } from '@sluice/event-schema';
import type { Change } from './change';
import { mergeSandboxActivity, projectSandboxActivity } from './sandbox-activity';

type Projection = (event: RecordedEvent) => readonly Change[];

/** Who projects what, by family. */
const PROJECTIONS: Record<EventFamily, readonly Projection[]> = {
  sandbox: [(event) => [projectSandboxActivity(event)]],
  registry: [],
  session: [],
  workspace: [],
};

/** The changes that one event asks for. Pure: the same event always gives the same changes. */
export function projectEvent(event: RecordedEvent): readonly Change[] {
  return PROJECTIONS[event.family].flatMap((projection) => projection(event));
}

/** Folds the changes of a batch, in position order, so that each row is touched once. */
export function mergeChanges(changes: readonly Change[]): readonly Change[] {
  const merged = new Map<string, Change>();
  for (const change of changes) {
    const key = JSON.stringify([change.kind, change.workspaceId, change.sandboxId]);
    const earlier = merged.get(key);
    merged.set(key, earlier === undefined ? change : mergeSandboxActivity(earlier, change));
  }
  return [...merged.values()];
}
