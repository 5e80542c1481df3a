import type { Decision, DecisionContext } from '../decision';
import type { SessionState } from '../session-state';
import { conflict, refused } from './refusals';
import { engineOf, fenceHopelessRun } from './run-course';
import { SessionChange } from './session-change';

/**
 * Closes a session for the user; its history stays. What was taken is still worked on: a run goes on to its end, and what
 * is queued starts the next. Only a run that waits for the user is ended, since no answer can come any more. Archiving it
 * again changes nothing.
 */
export function decideArchive(state: SessionState, ctx: DecisionContext): Decision {
  if (state.archivedAtMs !== null) return { kind: 'accepted', state, events: [], dispatches: [] };
  const change = new SessionChange(state, ctx);
  change.set({ archivedAtMs: change.nowMs });
  change.emit('session.archived', {});
  fenceHopelessRun(change);
  return change.accept();
}

/** Ends a session for good. Refused while a run works; a run that waits for the user ends with it. */
export function decideDelete(state: SessionState, ctx: DecisionContext): Decision {
  if (state.status === 'running' || state.status === 'rescheduling') {
    return refused(conflict(`The session is ${state.status}: send user.interrupt first`));
  }
  const change = new SessionChange(state, ctx);
  change.emit('session.deleted', {});
  change.dispatch({ type: 'session.deleted', engine: engineOf(state.agent), runId: null, inputIds: [] });
  return change.acceptDeletion();
}
