import type { SessionState } from '../../session-state';
import { hasAnswer } from '../tool-kinds';

/** What does not hold of a state that should hold of every one. */
export function checkSessionState(state: SessionState): string[] {
  const { status, run, pending, queue, heldAnswers, toolUses } = state;
  const isWorking = status === 'running' || status === 'rescheduling';
  const waits = run !== null && status === 'idle';
  const checks: readonly (readonly [string, boolean])[] = [
    ['A session that works has a run', !isWorking || run !== null],
    ['A terminated session has no run and no queue', status !== 'terminated' || (run === null && queue.length === 0)],
    ['Something is pending exactly while the run waits for the user', pending.length > 0 === waits],
    ['An idle session without a run has no queue', run !== null || queue.length === 0],
    [
      'A run has a deadline exactly while it does not wait for the user',
      run === null || waits === (run.deadlineMs === undefined),
    ],
    ['Without a run no answer is held', run !== null || heldAnswers.length === 0],
    [
      'Only tool uses of the active run may be answered',
      toolUses.every((use) => hasAnswer(use) || use.runId === run?.id),
    ],
    ['Nobody is waited for in an archived session', state.archivedAtMs === null || !waits],
    [
      'Times do not run backwards',
      state.createdAtMs <= state.statusSinceMs && state.statusSinceMs <= state.updatedAtMs,
    ],
  ];
  return checks.filter(([, holds]) => !holds).map(([text]) => text);
}
