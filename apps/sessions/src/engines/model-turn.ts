import type { SessionEventInput, UsageDelta } from '@sluice/agent-sessions';
import type { ModelAnswer, ModelFailed } from './model-answer';
import { messageId, thinkingId } from './model-preview';
import type { ModelTool } from './model-tools';

/** What one request to the model comes to. */
export interface ModelTurn {
  readonly events: readonly SessionEventInput[];
  readonly usage: UsageDelta;
}

const NO_USAGE = {
  input_tokens: 0,
  output_tokens: 0,
  cache_creation_input_tokens: 0,
  cache_read_input_tokens: 0,
};

/** @param requestId of the event that says that the model is asked; what follows from it has ids that begin with it */
export function turnOf(requestId: string, answer: ModelAnswer, tools: ReadonlyMap<string, ModelTool>): ModelTurn {
  const usage = usageOf(answer);
  const texts = answer.content.flatMap(({ type, text }) =>
    type === 'text' && typeof text === 'string' && text !== '' ? [{ type: 'text', text }] : [],
  );
  const hasThought = answer.content.some(({ type }) => type === 'thinking' || type === 'redacted_thinking');
  const uses = answer.content.filter(({ type }) => type === 'tool_use');
  const calls = uses.map((use, index) => callOf(`${requestId}_t${index}`, use, tools));
  const waiting = calls.flatMap(({ waitsFor }) => waitsFor ?? []);
  // A model that asked for nothing but what it cannot have is told so.
  const goesOn = calls.length > 0 && waiting.length === 0;
  return {
    events: [
      ...(hasThought ? [{ type: 'agent.thinking', id: thinkingId(requestId) }] : []),
      ...(texts.length > 0 ? [{ type: 'agent.message', id: messageId(requestId), content: texts }] : []),
      ...calls.map(({ use }) => use),
      // After what came of the request: it closes what was shown of it before.
      spanEnd(requestId, false, usage),
      // After all of them: results are one turn of a conversation.
      ...calls.flatMap(({ refusal }) => refusal ?? []),
      ...(goesOn ? [] : [idleOf(answer.stop_reason, waiting)]),
    ],
    usage,
  };
}

/** Says that the model could not be asked, and what follows: it is tried again, the turn is over, or the session is. */
export function failedTurn(requestId: string, failure: ModelFailed, canRetry: boolean): ModelTurn {
  const retryStatus = !failure.isPassing ? 'terminal' : canRetry ? 'retrying' : 'exhausted';
  return {
    events: [spanEnd(requestId, true, NO_USAGE), ...errorAndEnd(failure.type, failure.message, retryStatus)],
    usage: {},
  };
}

/** Whether the run works on after these events, so that the model is to be asked again. */
export function goesOnAfter(events: readonly { readonly type: string }[]): boolean {
  return !events.some(({ type }) => type === 'session.status_idle' || type === 'session.status_terminated');
}

/** Ends a run that asked too often. */
export function limitReached(limit: number): readonly SessionEventInput[] {
  return errorAndEnd('tool_use_limit_reached_error', `The model was asked ${limit} times in one turn`, 'exhausted');
}

type RetryStatus = 'retrying' | 'exhausted' | 'terminal';

function errorAndEnd(type: string, message: string, retryStatus: RetryStatus): readonly SessionEventInput[] {
  const next: Readonly<Record<RetryStatus, SessionEventInput>> = {
    retrying: { type: 'session.status_rescheduled' },
    exhausted: { type: 'session.status_idle', stop_reason: { type: 'retries_exhausted' } },
    terminal: { type: 'session.status_terminated' },
  };
  return [{ type: 'session.error', error: { type, message, retry_status: { type: retryStatus } } }, next[retryStatus]];
}

interface Call {
  readonly use: SessionEventInput;
  readonly refusal?: SessionEventInput;
  readonly waitsFor?: string;
}

function callOf(id: string, block: ModelAnswer['content'][number], tools: ReadonlyMap<string, ModelTool>): Call {
  const name = typeof block['name'] === 'string' && block['name'] !== '' ? block['name'] : 'unknown';
  const { input } = block;
  const fields = { id, name, input: isObject(input) ? input : {} };
  const tool = tools.get(name);
  if (!tool) {
    const text = `There is no tool ${name}.`;
    return {
      use: { type: 'agent.tool_use', ...fields, evaluated_permission: 'deny' },
      refusal: {
        type: 'agent.tool_result',
        id: `${id}_r`,
        tool_use_id: id,
        content: [{ type: 'text', text }],
        is_error: true,
      },
    };
  }
  if (tool.policy === 'always_allow') {
    const allowed = { evaluated_permission: 'allow', evaluation: { type: 'always_allow' } };
    return { use: { type: tool.use, ...fields, ...(tool.use === 'agent.tool_use' && allowed) }, waitsFor: id };
  }
  const permission = { evaluated_permission: 'ask', evaluation: { type: 'always_ask' } };
  return { use: { type: 'agent.tool_use', ...fields, ...permission }, waitsFor: id };
}

function idleOf(stopReason: string | null | undefined, waiting: readonly string[]): SessionEventInput {
  const type = 'session.status_idle';
  if (waiting.length > 0) return { type, stop_reason: { type: 'requires_action', event_ids: waiting } };
  if (stopReason !== 'refusal') return { type, stop_reason: { type: 'end_turn' } };
  const details = { type: 'refusal', category: null, explanation: null };
  return { type, stop_reason: { type: 'refusal' }, stop_details: details };
}

function spanEnd(requestId: string, isError: boolean, usage: typeof NO_USAGE): SessionEventInput {
  return {
    type: 'span.model_request_end',
    id: `${requestId}_end`,
    model_request_start_id: requestId,
    is_error: isError,
    model_usage: usage,
  };
}

function usageOf({ usage }: ModelAnswer): typeof NO_USAGE {
  return {
    input_tokens: usage?.input_tokens ?? 0,
    output_tokens: usage?.output_tokens ?? 0,
    cache_creation_input_tokens: usage?.cache_creation_input_tokens ?? 0,
    cache_read_input_tokens: usage?.cache_read_input_tokens ?? 0,
  };
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
