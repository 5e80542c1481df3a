import type { Decision, DecisionContext } from '../decision';
import type { SessionState } from '../session-state';
import type { LostRun } from './inputs';
import { conflict, refused } from './refusals';
import { endRun, startNextRun } from './run-course';
import { SessionChange } from './session-change';

/** Gives up a run whose engine cannot be told, has died, or is silent: an error, and the turn is over without success. */
export function decideRunLost(state: SessionState, lost: LostRun, ctx: DecisionContext): Decision {
  const { run } = state;
  if (run?.id !== lost.runId) return refused(conflict('The run is not the active run of the session'));
  const change = new SessionChange(state, ctx);
  const error = { type: 'unknown_error', message: lost.message, retry_status: { type: 'exhausted' } };
  change.emit('session.error', { error }, { runId: run.id });
  const stopReason = { type: 'retries_exhausted' };
  change.emit('session.status_idle', { stop_reason: stopReason, stop_details: null }, { runId: run.id });
  if (lost.isEngineToStop) {
    change.dispatch({ type: 'run.interrupt', engine: run.engine, runId: run.id, inputIds: [] });
  }
  endRun(change, 'idle');
  startNextRun(change);
  return change.accept();
}

/** Gives up the active run if its engine has been silent past its time; refused (`conflict`) when it has not. */
export function decideRunOverdue(state: SessionState, ctx: DecisionContext): Decision {
  const { run } = state;
  if (run?.deadlineMs === undefined || run.deadlineMs > ctx.nowMs) return refused(conflict('No run is overdue'));
  return decideRunLost(
    state,
    { runId: run.id, message: 'The engine was silent for too long', isEngineToStop: true },
    ctx,
  );
}
