import { z } from 'zod';
import { sessionEventIdSchema } from './session-ids';

/** Most tool uses that one run waits for at a time. */
export const MAX_REQUIRED_ACTIONS = 1000;

/** Why a session went idle. */
export const stopReasonSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.literal('end_turn') }),
  z.looseObject({
    type: z.literal('requires_action'),
    event_ids: z.array(sessionEventIdSchema).min(1).max(MAX_REQUIRED_ACTIONS),
  }),
  z.looseObject({ type: z.literal('retries_exhausted') }),
  z.looseObject({ type: z.literal('budget_reached') }),
  z.looseObject({ type: z.literal('refusal') }),
]);

export type StopReason = z.infer<typeof stopReasonSchema>;

/** More about a stop; null when there is no more to say. */
export const stopDetailsSchema = z.looseObject({ type: z.string() }).nullable();

export const RETRY_STATUSES = ['retrying', 'exhausted', 'terminal'] as const;

/** What follows from an error: it is tried again, the turn is over, or the session is. */
export const retryStatusSchema = z.looseObject({ type: z.enum(RETRY_STATUSES) });

export type RetryStatus = z.infer<typeof retryStatusSchema>;

/** What can go wrong in a session, as clients know it. */
export const SESSION_ERROR_TYPES = [
  'unknown_error',
  'model_overloaded_error',
  'model_rate_limited_error',
  'model_request_failed_error',
  'mcp_connection_failed_error',
  'mcp_authentication_failed_error',
  'billing_error',
  'credential_host_unreachable_error',
  'tool_use_limit_reached_error',
  'compaction_limit_reached_error',
  'repository_authentication_error',
  'repository_forbidden_error',
  'repository_not_found_error',
  'repository_checkout_error',
  'repository_clone_error',
] as const;

export type SessionErrorType = (typeof SESSION_ERROR_TYPES)[number];

/** The types of errors that have no members of their own. */
const PLAIN_ERROR_TYPES = [
  'unknown_error',
  'model_overloaded_error',
  'model_rate_limited_error',
  'model_request_failed_error',
  'billing_error',
  'tool_use_limit_reached_error',
  'compaction_limit_reached_error',
] as const;

const MCP_ERROR_TYPES = ['mcp_connection_failed_error', 'mcp_authentication_failed_error'] as const;

const REPOSITORY_ERROR_TYPES = [
  'repository_authentication_error',
  'repository_forbidden_error',
  'repository_not_found_error',
  'repository_checkout_error',
  'repository_clone_error',
] as const;

const common = { message: z.string(), retry_status: retryStatusSchema };

/** The `error` of a `session.error`. */
export const sessionErrorSchema = z.discriminatedUnion('type', [
  z.looseObject({ type: z.enum(PLAIN_ERROR_TYPES), ...common }),
  z.looseObject({ type: z.enum(MCP_ERROR_TYPES), ...common, mcp_server_name: z.string() }),
  z.looseObject({
    type: z.literal('credential_host_unreachable_error'),
    ...common,
    credential_id: z.string(),
    vault_id: z.string(),
  }),
  z.looseObject({ type: z.enum(REPOSITORY_ERROR_TYPES), ...common, repository_url: z.string().nullable().optional() }),
]);

export type SessionError = z.infer<typeof sessionErrorSchema>;
