import type { Position } from '@sluice/event-schema';
import type { AgentChange } from './registry/agent-change';
import type { SessionEventChange } from './session/session-event-change';
import type { WorkspaceDocumentChange } from './workspace/document-change';

export type SandboxStatus = 'unknown' | 'ready' | 'shut_down' | 'failed';

/** What one or several events mean for the row of one sandbox. Counters are differences. */
export interface SandboxActivityChange {
  readonly kind: 'sandbox_activity';
  readonly workspaceId: number;
  readonly sandboxId: string;
  /** The newest status among the events; absent when none of them says one. */
  readonly status?: SandboxStatus;
  readonly executionsStarted: number;
  readonly executionsCompleted: number;
  readonly executionsFailed: number;
  readonly lastPosition: Position;
  readonly lastOccurredAt: number;
}

/** Everything that projections can ask of the read model. */
export type Change = SandboxActivityChange | WorkspaceDocumentChange | AgentChange | SessionEventChange;

export type ChangeOf<K extends Change['kind']> = Extract<Change, { kind: K }>;

/** The changes of one kind, in their order. */
export function changesOfKind<K extends Change['kind']>(kind: K, changes: readonly Change[]): readonly ChangeOf<K>[] {
  return changes.filter((change): change is ChangeOf<K> => change.kind === kind);
}
