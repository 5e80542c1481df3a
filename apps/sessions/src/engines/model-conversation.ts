import { ConversationWriter, type OpenCall, type ModelMessage } from './conversation-writer';
import type { History, HistoryEvent } from './run-history';

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

/**
 * Reads a history as a conversation. What was queued comes where its run begins, not where it was sent.
 *
 * @param runInputs the inputs of the run that goes on, which count as its even before it is recorded that it began
 */
export function toConversation(history: History, runInputs: ReadonlySet<unknown>): Conversation {
  const writer = new ConversationWriter();
  let waiting: HistoryEvent[] = [];
  let isActive = false;
  let previous: unknown;
  const begin = (inputs: readonly HistoryEvent[]) => inputs.forEach((input) => writer.input(input));
  for (const event of wholeRuns(history)) {
    const { type } = event;
    if (type === 'session.status_running' && !isActive) {
      begin(waiting);
      waiting = [];
      isActive = true;
    } else if (endsRun(event)) isActive = false;
    else if (type === 'system.message' && ANSWER_TYPES.includes(previous)) writer.input(event);
    else if (INPUT_TYPES.includes(type)) waiting.push(event);
    else writer.work(event);
    previous = type;
  }
  if (!isActive) begin(waiting.filter(({ id }) => runInputs.has(id)));
  return writer.end();
}

/** Of a history that has been cut, or whose beginning is not kept, what comes after the first end of a run. */
function wholeRuns({ events, isCut }: History): readonly HistoryEvent[] {
  const first = events.find(({ type }) => !INPUT_TYPES.includes(type));
  const isWhole = first === undefined || first.type === 'session.status_running';
  if (!isCut && isWhole) return events;
  const end = events.findIndex(endsRun);
  return events.slice(end + 1);
}

function endsRun({ type, stop_reason: reason }: HistoryEvent): boolean {
  if (type === 'session.status_terminated') return true;
  return type === 'session.status_idle' && (reason as { type?: unknown } | undefined)?.type !== 'requires_action';
}
