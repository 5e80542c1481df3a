import type { Position } from '@sluice/event-schema';

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
export type Change = SandboxActivityChange;
