import type { SessionState } from '../session-state';
import { MAX_ENDED_RUNS } from './limits';
import type { SessionChange } from './session-change';
import { hasAnswer } from './tool-kinds';

/** Who works for agents that name no engine. */
export const BUILT_IN_ENGINE = 'built-in';

/** The engine that an agent names: `metadata.engine`, or the built-in one. */
export function engineOf(agent: { readonly metadata: Readonly<Record<string, string>> }): string {
  return agent.metadata['engine'] ?? BUILT_IN_ENGINE;
}

/** Whether a run waits for the user. */
export function isWaiting(state: SessionState): boolean {
  return state.run !== null && state.status === 'idle';
}

/** Starts a run with all that is queued, unless there is a run or nothing to do. */
export function startNextRun(change: SessionChange): void {
  const { run, queue, agent, status } = change.state;
  if (run !== null || queue.length === 0 || status === 'terminated') return;
  const id = change.ctx.newId('srun');
  const engine = engineOf(agent);
  // An outcome is processed as soon as it is taken.
  const processed = change.process(queue.filter((input) => input.type !== 'user.define_outcome').map(eventIdOf));
  change.set({
    run: {
      id,
      engine,
      callbackSecret: change.ctx.newSecret(),
      startedAtMs: change.nowMs,
      deadlineMs: change.ctx.nowMs + change.ctx.runTimeoutMs,
    },
    queue: [],
  });
  change.enter('running');
  change.emit('session.status_running', {}, { runId: id, processedInputs: processed });
  change.dispatch({ type: 'run.start', engine, runId: id, inputIds: queue.map(eventIdOf) });
}

/** The run reports no more. The event that says so is appended by the caller. */
export function endRun(change: SessionChange, status: 'idle' | 'terminated'): void {
  const { run, endedRuns, queue, toolUses } = change.state;
  const ended = run === null ? [] : [{ id: run.id, callbackSecret: run.callbackSecret }];
  change.set({
    run: null,
    endedRuns: [...endedRuns, ...ended].slice(-MAX_ENDED_RUNS),
    pending: [],
    heldAnswers: [],
    toolUses: toolUses.filter(hasAnswer),
    queue: status === 'terminated' ? [] : queue,
  });
  change.enter(status);
}

/** Ends the run from outside, and tells its engine. */
export function fenceRun(change: SessionChange, inputIds: readonly string[]): void {
  const { run } = change.state;
  if (run === null) return;
  endRun(change, 'idle');
  change.emit('session.status_idle', { stop_reason: { type: 'end_turn' }, stop_details: null }, { runId: run.id });
  change.dispatch({ type: 'run.interrupt', engine: run.engine, runId: run.id, inputIds });
}

/** Nobody can answer in an archived session: a run that waits for it is over, and what was queued goes on. */
export function fenceHopelessRun(change: SessionChange): void {
  if (change.state.archivedAtMs === null || !isWaiting(change.state)) return;
  fenceRun(change, []);
  startNextRun(change);
}

/** The run goes on: it works, until it says otherwise or is silent for too long. */
export function resumeRun(change: SessionChange): void {
  change.set({ pending: [] });
  change.enter('running');
  renewDeadline(change);
}

/** The engine has a full time again; while its run waits for the user, it has all time. */
export function renewDeadline(change: SessionChange): void {
  const { run } = change.state;
  if (run === null) return;
  const deadlineMs = isWaiting(change.state) ? undefined : change.ctx.nowMs + change.ctx.runTimeoutMs;
  change.set({ run: { ...run, deadlineMs } });
}

function eventIdOf(input: { readonly eventId: string }): string {
  return input.eventId;
}
