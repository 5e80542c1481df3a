import type { EventFamily, RecordedEvent } from '@sluice/event-schema';
import { changesOfKind, type Change, type ChangeOf } from './change';
import { mergeAgents } from './registry/merge-agents';
import { projectRegistry } from './registry/project-registry';
import { mergeSandboxActivities, projectSandboxActivity } from './sandbox-activity';
import { mergeSessionEvents } from './session/merge-session-events';
import { projectSession } from './session/project-session';
import { mergeWorkspaceDocuments } from './workspace/merge-documents';
import { projectWorkspace } from './workspace/project-workspace';

type Projection = (event: RecordedEvent) => readonly Change[];

/** Who projects what, by family. */
const PROJECTIONS: Record<EventFamily, readonly Projection[]> = {
  sandbox: [(event) => [projectSandboxActivity(event)]],
  registry: [projectRegistry],
  session: [projectSession],
  workspace: [projectWorkspace],
};

/** How changes of each kind are folded; the compiler asks for a line when a kind is added. */
const MERGE: { readonly [K in Change['kind']]: (changes: readonly ChangeOf<K>[]) => readonly ChangeOf<K>[] } = {
  sandbox_activity: mergeSandboxActivities,
  workspace_document: mergeWorkspaceDocuments,
  agent: mergeAgents,
  session_event: mergeSessionEvents,
};

/** The changes that one event asks for. Pure: the same event always gives the same changes. */
export function projectEvent(event: RecordedEvent): readonly Change[] {
  return PROJECTIONS[event.family].flatMap((projection) => projection(event));
}

/** Folds the changes of a batch, in position order, so that each row is touched once. */
export function mergeChanges(changes: readonly Change[]): readonly Change[] {
  const merge = <K extends Change['kind']>(kind: K) => MERGE[kind](changesOfKind(kind, changes));
  return (Object.keys(MERGE) as Change['kind'][]).flatMap((kind): readonly Change[] => merge(kind));
}
