import { z } from 'zod';
import { agentMessageContent, anyContent } from './content-blocks';
import type { EngineSessionEventType } from './event-types';
import { sessionEventIdSchema } from './session-ids';
import { sessionErrorSchema, stopDetailsSchema, stopReasonSchema } from './session-outcomes';

const tokens = z.int().min(0);

/** Tokens of one model request. */
const modelUsage = z.looseObject({
  input_tokens: tokens,
  output_tokens: tokens,
  cache_creation_input_tokens: tokens,
  cache_read_input_tokens: tokens,
});

const toolUse = {
  name: z.string().min(1),
  input: z.record(z.string(), z.unknown()),
  session_thread_id: z.string().nullable().optional(),
};

const permission = {
  evaluated_permission: z.enum(['allow', 'ask', 'deny']).optional(),
  evaluation: z.looseObject({ type: z.string() }).optional(),
};

const toolResult = { content: anyContent.optional(), is_error: z.boolean().nullable().optional() };

const evaluation = { outcome_id: z.string().min(1), iteration: z.int().min(0) };

/** The members of each type beside `id`, `type` and `processed_at`. */
export const ENGINE_FIELDS = {
  'agent.message': { content: agentMessageContent },
  'agent.thinking': {},
  'agent.tool_use': { ...toolUse, ...permission },
  'agent.tool_result': { tool_use_id: sessionEventIdSchema, ...toolResult },
  'agent.mcp_tool_use': { mcp_server_name: z.string().min(1), ...toolUse, ...permission },
  'agent.mcp_tool_result': { mcp_tool_use_id: sessionEventIdSchema, ...toolResult },
  'agent.custom_tool_use': toolUse,
  'agent.thread_context_compacted': {},
  'agent.thread_message_sent': {
    content: anyContent,
    to_session_thread_id: z.string().min(1),
    to_agent_name: z.string().nullable().optional(),
  },
  'agent.thread_message_received': {
    content: anyContent,
    from_session_thread_id: z.string().min(1),
    from_agent_name: z.string().nullable().optional(),
  },
  'session.error': { error: sessionErrorSchema },
  'session.status_running': {},
  'session.status_idle': { stop_reason: stopReasonSchema, stop_details: stopDetailsSchema.optional() },
  'session.status_rescheduled': {},
  'session.status_terminated': {},
  'span.model_request_start': {},
  'span.model_request_end': {
    model_request_start_id: sessionEventIdSchema,
    is_error: z.boolean().nullable(),
    model_usage: modelUsage,
  },
  'span.outcome_evaluation_start': evaluation,
  'span.outcome_evaluation_ongoing': evaluation,
  'span.outcome_evaluation_end': {
    ...evaluation,
    outcome_evaluation_start_id: sessionEventIdSchema,
    result: z.enum(['satisfied', 'needs_revision', 'max_iterations_reached', 'failed', 'interrupted']),
    explanation: z.string(),
    usage: modelUsage,
  },
} satisfies Record<EngineSessionEventType, z.ZodRawShape>;
