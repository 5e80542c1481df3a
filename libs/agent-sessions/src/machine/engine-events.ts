import type { SessionRefusal } from '../decision';
import type { PendingAction } from '../session-state';
import { tellAnswers, trackToolUse } from './actions';
import type { SessionEventInput } from './inputs';
import { MAX_PENDING_ACTIONS } from './limits';
import { noteEvaluation } from './outcomes';
import { invalid } from './refusals';
import { endRun, resumeRun, startNextRun } from './run-course';
import type { SessionChange } from './session-change';
import { answersOf, expectedAnswers } from './tool-kinds';

/** Why a run can be idle. All but `requires_action` end it. */
export const STOP_REASONS = ['end_turn', 'requires_action', 'retries_exhausted', 'budget_reached', 'refusal'] as const;

const STATUS_TYPES: readonly string[] = [
  'session.error',
  'session.status_idle',
  'session.status_running',
  'session.status_rescheduled',
  'session.status_terminated',
];

/** Whether an engine may report events of this type. */
export function isReportable(type: string): boolean {
  return type.startsWith('agent.') || type.startsWith('span.') || STATUS_TYPES.includes(type);
}

/** Takes one event of an engine. Gives a refusal when the event, and so the report, cannot be. */
export function takeEngineEvent(
  change: SessionChange,
  event: SessionEventInput,
  where: string,
): SessionRefusal | undefined {
  const chosenId = event['id'];
  if (typeof chosenId === 'string' && change.typeOf(chosenId) !== undefined) {
    return invalid(`The session has an event ${chosenId} already`, `${where}.id`);
  }
  if (event.type === 'session.status_idle') return takeIdle(change, event, where);
  if (event.type.startsWith('agent.') && change.state.status === 'rescheduling') {
    resumeRun(change);
    emit(change, { type: 'session.status_running' });
  }
  const eventId = emit(change, event);
  switch (event.type) {
    case 'session.status_running':
      resumeRun(change);
      return undefined;
    case 'session.status_rescheduled':
      change.set({ pending: [] });
      change.enter('rescheduling');
      return undefined;
    case 'session.status_terminated':
      endRun(change, 'terminated');
      return undefined;
    default:
      noteEvaluation(change, event);
      noteToolResult(change, event);
      return trackReported(change, event, eventId, where);
  }
}

function takeIdle(change: SessionChange, event: SessionEventInput, where: string): SessionRefusal | undefined {
  const reason = event['stop_reason'];
  const place = `${where}.stop_reason`;
  if (!isObject(reason) || !STOP_REASONS.some((type) => type === reason['type'])) {
    return invalid(`stop_reason.type is one of ${STOP_REASONS.join(', ')}`, place);
  }
  if (reason['type'] === 'requires_action')
    return takeWaiting(change, event, reason['event_ids'], `${place}.event_ids`);
  emit(change, { ...event, stop_details: event['stop_details'] ?? null });
  endRun(change, 'idle');
  startNextRun(change);
  return undefined;
}

function takeWaiting(
  change: SessionChange,
  event: SessionEventInput,
  eventIds: unknown,
  place: string,
): SessionRefusal | undefined {
  const actions = actionsOf(change, eventIds, place);
  if (!Array.isArray(actions)) return actions;
  const runId = change.state.run?.id ?? '';
  for (const action of actions) {
    const isTracked = trackToolUse(change, { ...action, runId });
    if (!isTracked) return invalid(`More than ${MAX_PENDING_ACTIONS} tool uses wait for an answer`, place);
  }
  emit(change, { ...event, stop_details: event['stop_details'] ?? null });
  const held = change.state.heldAnswers.filter((answer) => includes(eventIds, answer.toolUseId));
  change.enter('idle');
  change.set({
    pending: actions.filter((action) => !held.some((answer) => answer.toolUseId === action.eventId)),
    heldAnswers: change.state.heldAnswers.filter((answer) => !held.includes(answer)),
  });
  tellAnswers(
    change,
    held.flatMap((answer) => answer.inputIds),
  );
  return undefined;
}

/** What the run waits for, or why it cannot. */
function actionsOf(change: SessionChange, eventIds: unknown, place: string): PendingAction[] | SessionRefusal {
  if (!Array.isArray(eventIds) || eventIds.length === 0) return invalid('At least one event id is required', place);
  if (eventIds.length > MAX_PENDING_ACTIONS)
    return invalid(`At most ${MAX_PENDING_ACTIONS} event ids are taken`, place);
  if (new Set(eventIds).size < eventIds.length) return invalid('Each event id can be there once', place);
  const { toolUses, heldAnswers, environmentType } = change.state;
  const actions: PendingAction[] = [];
  for (const [index, eventId] of eventIds.entries()) {
    const where = `${place}[${index}]`;
    const type = typeof eventId === 'string' ? change.typeOf(eventId) : undefined;
    const answers = type === undefined ? undefined : answersOf(type, environmentType);
    if (typeof eventId !== 'string' || answers === undefined) {
      return invalid(`${String(eventId)} is no tool use of this session`, where);
    }
    const answeredBy = toolUses.find((use) => use.eventId === eventId)?.answeredBy ?? answers;
    const isHeld = heldAnswers.some((answer) => answer.toolUseId === eventId);
    if (answeredBy.length === 0 && !isHeld) return invalid(`${eventId} needs no answer, or has it already`, where);
    actions.push({ eventId, answeredBy });
  }
  return actions;
}

function trackReported(
  change: SessionChange,
  event: SessionEventInput,
  eventId: string,
  where: string,
): SessionRefusal | undefined {
  const answeredBy = expectedAnswers(event, change.state.environmentType);
  if (answeredBy.length === 0) return undefined;
  const isTracked = trackToolUse(change, { eventId, runId: change.state.run?.id ?? '', answeredBy });
  return isTracked ? undefined : invalid(`More than ${MAX_PENDING_ACTIONS} tool uses wait for an answer`, where);
}

/** An engine that has a result needs no answer any more. */
function noteToolResult(change: SessionChange, event: SessionEventInput): void {
  if (event.type !== 'agent.tool_result' && event.type !== 'agent.mcp_tool_result') return;
  const toolUseId = event[event.type === 'agent.tool_result' ? 'tool_use_id' : 'mcp_tool_use_id'];
  change.set({
    toolUses: change.state.toolUses.map((use) => (use.eventId === toolUseId ? { ...use, answeredBy: [] } : use)),
  });
}

function emit(change: SessionChange, event: SessionEventInput): string {
  const { id, type, sluice: _ours, ...fields } = event;
  const runId = change.state.run?.id;
  return change.emit(type, fields, {
    ...(typeof id === 'string' ? { id } : {}),
    ...(runId === undefined ? {} : { runId }),
  });
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function includes(eventIds: unknown, eventId: string): boolean {
  return Array.isArray(eventIds) && eventIds.includes(eventId);
}
