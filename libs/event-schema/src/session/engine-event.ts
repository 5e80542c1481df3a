import { z } from 'zod';
import { isWithinDepth } from '../envelope';
import { MAX_DATA_DEPTH } from '../limits';
import { ENGINE_FIELDS } from './engine-fields';
import type { EngineSessionEventType } from './event-types';
import { sessionEventIdSchema } from './session-ids';

/** An engine's event of one type. What it says beside the known members is kept; `sluice` is ours. */
function engineEvent<T extends EngineSessionEventType>(type: T) {
  return z.looseObject({
    id: sessionEventIdSchema.optional(),
    type: z.literal(type),
    ...ENGINE_FIELDS[type],
    sluice: z.never('is reserved').optional(),
  });
}

/**
 * One event of a callback of an engine. Members that are not known are kept; those that its type requires are checked. The
 * server decides `processed_at`, whatever is said of it here.
 */
export const engineSessionEventSchema = z
  .discriminatedUnion('type', [
    engineEvent('agent.message'),
    engineEvent('agent.thinking'),
    engineEvent('agent.tool_use'),
    engineEvent('agent.tool_result'),
    engineEvent('agent.mcp_tool_use'),
    engineEvent('agent.mcp_tool_result'),
    engineEvent('agent.custom_tool_use'),
    engineEvent('agent.thread_context_compacted'),
    engineEvent('agent.thread_message_sent'),
    engineEvent('agent.thread_message_received'),
    engineEvent('session.error'),
    engineEvent('session.status_running'),
    engineEvent('session.status_idle'),
    engineEvent('session.status_rescheduled'),
    engineEvent('session.status_terminated'),
    engineEvent('span.model_request_start'),
    engineEvent('span.model_request_end'),
    engineEvent('span.outcome_evaluation_start'),
    engineEvent('span.outcome_evaluation_ongoing'),
    engineEvent('span.outcome_evaluation_end'),
  ])
  .refine((event) => isWithinDepth(event, MAX_DATA_DEPTH), {
    error: `must have at most ${MAX_DATA_DEPTH} levels of objects and arrays`,
  });

export type EngineSessionEvent = z.infer<typeof engineSessionEventSchema>;
