import type { Decision, DecisionContext } from '../decision';
import type { SessionState } from '../session-state';
import { conflict, refused } from './refusals';

/** How much of a run's time may go by before its engine is told: with less it would be given up too soon. */
const UNTOLD_PART = 0.1;

/** Whether a run has lost so much of its time, though its engine was not told, that it is to have it anew. */
export function isUntoldForLong({ run }: SessionState, nowMs: number, runTimeoutMs: number): boolean {
  return run?.deadlineMs !== undefined && run.deadlineMs - nowMs < runTimeoutMs * (1 - UNTOLD_PART);
}

/**
 * What an engine was not told of, it is not silent about: gives the run its full time anew when a tenth of it is gone, so
 * that it is not given up while it waits for a place or for its inputs to be recorded. Nobody is told of it.
 */
export function decideRunUntold(state: SessionState, runId: string, ctx: DecisionContext): Decision {
  const { run } = state;
  if (run?.id !== runId) return refused(conflict('The run is not the active run of the session'));
  const isLate = isUntoldForLong(state, ctx.nowMs, ctx.runTimeoutMs);
  const next = isLate ? { ...state, run: { ...run, deadlineMs: ctx.nowMs + ctx.runTimeoutMs } } : state;
  return { kind: 'accepted', state: next, events: [], dispatches: [] };
}
