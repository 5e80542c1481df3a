import type { ActionKind, TrackedToolUse } from '../session-state';
import { MAX_ANSWERED_TOOL_USES, MAX_PENDING_ACTIONS } from './limits';
import { resumeRun } from './run-course';
import type { SessionChange } from './session-change';
import { hasAnswer } from './tool-kinds';

/** What may answer the tool use now: what the run waits for, and what it will; empty when it is to have no answer. */
export function openAnswers(change: SessionChange, toolUseId: string): readonly ActionKind[] {
  const { run, pending, toolUses } = change.state;
  if (run === null) return [];
  const waiting = pending.find((action) => action.eventId === toolUseId);
  if (waiting !== undefined) return waiting.answeredBy;
  const tracked = toolUses.find((use) => use.eventId === toolUseId);
  return tracked?.runId === run.id ? tracked.answeredBy : [];
}

/** Remembers what may answer a tool use from now on. False when too many of the run may still be answered. */
export function trackToolUse(change: SessionChange, use: TrackedToolUse): boolean {
  const others = change.state.toolUses.filter((other) => other.eventId !== use.eventId);
  const toolUses = [...others, use];
  const settled = toolUses.filter(
    (other) => other.answeredBy.length === 0 || (hasAnswer(other) && other.runId !== use.runId),
  );
  const forgotten = settled.slice(0, Math.max(0, settled.length - MAX_ANSWERED_TOOL_USES));
  change.set({ toolUses: toolUses.filter((other) => !forgotten.includes(other)) });
  return toolUses.length - settled.length <= MAX_PENDING_ACTIONS;
}

/**
 * Says where a run stands after answers: it goes on when it has them all, and else waits for the rest. The engine is told
 * either way.
 */
export function tellAnswers(change: SessionChange, inputIds: readonly string[]): void {
  const { run, pending } = change.state;
  if (run === null || inputIds.length === 0) return;
  if (pending.length === 0) {
    resumeRun(change);
    change.emit('session.status_running', {}, { runId: run.id });
  } else {
    const stopReason = { type: 'requires_action', event_ids: pending.map((action) => action.eventId) };
    change.emit('session.status_idle', { stop_reason: stopReason, stop_details: null }, { runId: run.id });
  }
  change.dispatch({ type: 'run.input', engine: run.engine, runId: run.id, inputIds });
}
