import { ConversationWriter, type OpenCall, type ModelMessage } from './conversation-writer';
import type { HistoryEvent } from './run-history';

/** What a session has said, in the form of the Messages API. */
export interface Conversation {
  /** What was said to the model beside its agent's own instructions. */
  readonly system: readonly string[];
  readonly messages: readonly ModelMessage[];
  /** Tool uses of the last turn that have no result, in their order. */
  readonly openCalls: readonly OpenCall[];
}

const INPUT_TYPES: readonly unknown[] = ['user.message', 'user.define_outcome', 'system.message'];
const ANSWER_TYPES: readonly unknown[] = ['user.tool_confirmation', 'user.custom_tool_result', 'user.tool_result'];

/** In the place of what a run was to begin with, where that is not known. */
const UNKNOWN_BEGINNING: HistoryEvent = {
  type: 'user.message',
  content: [{ type: 'text', text: '[What was said before is not kept.]' }],
};

/**
 * Reads a history as a conversation, which begins with what the user says. What was queued comes where its run begins, not
 * where it was sent. Where the beginning of a history is not there, the run that goes on and whole ones before it are read.
 *
 * @param told what the engine was told of the run that goes on: its inputs, which count as its even before it is recorded
 *   that it began, or answers
 */
export function toConversation(events: readonly HistoryEvent[], told: readonly HistoryEvent[]): Conversation {
  const inputs = told.some(isSpoken) ? told.filter(isInput) : [];
  const toldIds = new Set(told.map(({ id }) => id));
  const isOurs = ({ id }: HistoryEvent) => toldIds.has(id);
  const lastEnd = events.findLastIndex(endsRun);
  let isPartOfRun = beginsWithinRun(events);
  let isActive = isPartOfRun;
  let writer = new ConversationWriter();
  let waiting: HistoryEvent[] = [];
  let previous: unknown;
  const begin = (begun: readonly HistoryEvent[]) => begun.forEach((input) => writer.input(input));
  if (isPartOfRun) begin(inputs.length > 0 ? inputs : [UNKNOWN_BEGINNING]);
  for (const [index, event] of events.entries()) {
    const { type } = event;
    if (type === 'session.status_running' && !isActive) {
      const isLast = index > lastEnd;
      begin(isLast ? complete(waiting, inputs) : waiting.filter((input) => !isOurs(input)));
      waiting = isLast ? [] : waiting.filter(isOurs);
      isActive = true;
    } else if (endsRun(event)) {
      if (isPartOfRun) writer = new ConversationWriter();
      isPartOfRun = false;
      isActive = false;
    } else if (type === 'system.message' && ANSWER_TYPES.includes(previous)) writer.input(event);
    else if (isInput(event)) waiting.push(event);
    else writer.work(event);
    previous = type;
  }
  if (!isActive) begin(waiting.filter(isOurs));
  if (!writer.isBegun) begin(inputs);
  return writer.end();
}

/** All inputs, where they are known, as far as they are kept as they are there. */
function complete(kept: readonly HistoryEvent[], inputs: readonly HistoryEvent[]): readonly HistoryEvent[] {
  if (inputs.length === 0) return kept;
  return inputs.map((input) => kept.find(({ id }) => id === input['id']) ?? input);
}

/** Whether the beginning of its first run is not there: what a run begins with comes before all that it does. */
function beginsWithinRun(events: readonly HistoryEvent[]): boolean {
  const first = events.findIndex((event) => !isInput(event));
  return first === 0 || (first > 0 && events[first]?.['type'] !== 'session.status_running');
}

function isInput({ type }: HistoryEvent): boolean {
  return INPUT_TYPES.includes(type);
}

function isSpoken({ type }: HistoryEvent): boolean {
  return INPUT_TYPES.includes(type) && type !== 'system.message';
}

function endsRun({ type, stop_reason: reason }: HistoryEvent): boolean {
  if (type === 'session.status_terminated') return true;
  return type === 'session.status_idle' && (reason as { type?: unknown } | undefined)?.type !== 'requires_action';
}
