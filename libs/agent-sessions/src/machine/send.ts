import type { Decision, DecisionContext, SessionRefusal } from '../decision';
import type { SessionState } from '../session-state';
import type { SessionEventInput } from './inputs';
import { MAX_SENT_EVENTS } from './limits';
import { conflict, invalid, refused } from './refusals';
import { SendBatch } from './send-batch';
import { SessionChange } from './session-change';

const BEFORE_SYSTEM_MESSAGE: readonly string[] = ['user.message', 'user.custom_tool_result', 'user.tool_result'];

/**
 * Events of the user: all of them are taken, or none. Each is decided on the state that those before it left.
 *
 * - Messages and outcomes start a run with all that is queued, at the end of the batch or before an interrupt in it; while
 *   there is a run they wait for its end.
 * - Answers are told to the run, once for each batch. An answer that comes before the run says that it waits is held until
 *   it says so.
 * - An interrupt ends the run.
 *
 * The events that were sent are those of types `user.*` and `system.message` in the decision, in their order.
 */
export function decideSend(state: SessionState, events: readonly SessionEventInput[], ctx: DecisionContext): Decision {
  const refusal = refusalOfState(state) ?? refusalOfShape(events);
  if (refusal !== undefined) return refused(refusal);
  const change = new SessionChange(state, ctx);
  const fault = takeAll(change, events, 'events');
  return fault === undefined ? change.accept() : refused(fault);
}

/** Takes a batch into a change that is under way. */
export function takeAll(
  change: SessionChange,
  events: readonly SessionEventInput[],
  where: string,
): SessionRefusal | undefined {
  const batch = new SendBatch(change);
  for (const [index, event] of events.entries()) {
    const fault = batch.take(event, `${where}[${index}]`);
    if (fault !== undefined) return fault;
  }
  batch.settle();
  return undefined;
}

function refusalOfState(state: SessionState): SessionRefusal | undefined {
  if (state.archivedAtMs !== null) return conflict('The session is archived');
  return state.status === 'terminated' ? conflict('The session is terminated') : undefined;
}

function refusalOfShape(events: readonly SessionEventInput[]): SessionRefusal | undefined {
  if (events.length === 0) return invalid('At least one event is required', 'events');
  if (events.length > MAX_SENT_EVENTS)
    return invalid(`At most ${MAX_SENT_EVENTS} events can be sent at once`, 'events');
  const index = events.findIndex((event) => event.type === 'system.message');
  if (index === -1) return undefined;
  const before = events[index - 1];
  const isCompanion = before !== undefined && BEFORE_SYSTEM_MESSAGE.includes(before.type);
  return index === events.length - 1 && isCompanion
    ? undefined
    : invalid('system.message must be the last event, right after a user.message or a tool result', `events[${index}]`);
}
