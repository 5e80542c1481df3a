/** What an application sends to a session. */
export const SENDABLE_SESSION_EVENT_TYPES = [
  'user.message',
  'user.interrupt',
  'user.tool_confirmation',
  'user.custom_tool_result',
  'user.tool_result',
  'user.define_outcome',
  'system.message',
] as const;

/** What an engine reports of its run. */
export const ENGINE_SESSION_EVENT_TYPES = [
  'agent.message',
  'agent.thinking',
  'agent.tool_use',
  'agent.tool_result',
  'agent.mcp_tool_use',
  'agent.mcp_tool_result',
  'agent.custom_tool_use',
  'agent.thread_context_compacted',
  'agent.thread_message_sent',
  'agent.thread_message_received',
  'session.error',
  'session.status_running',
  'session.status_idle',
  'session.status_rescheduled',
  'session.status_terminated',
  'span.model_request_start',
  'span.model_request_end',
  'span.outcome_evaluation_start',
  'span.outcome_evaluation_ongoing',
  'span.outcome_evaluation_end',
] as const;

/** Every type that a list of events can be narrowed to. */
export const LISTABLE_SESSION_EVENT_TYPES = [
  ...SENDABLE_SESSION_EVENT_TYPES,
  ...ENGINE_SESSION_EVENT_TYPES,
  'session.updated',
  'session.usage',
  'session.thread_created',
  'session.thread_status_running',
  'session.thread_status_idle',
  'session.thread_status_rescheduled',
  'session.thread_status_terminated',
  'workflow_run.created',
  'workflow_run.status_running',
  'workflow_run.status_idle',
  'workflow_run.status_ended',
  'workflow_run.error',
  'workflow_run.phase_started',
  'workflow_run.phase_ended',
] as const;

/** Every stored type that clients of the sessions API know. */
export const SESSION_EVENT_TYPES = [...LISTABLE_SESSION_EVENT_TYPES, 'session.deleted'] as const;

/** Stored types of our own: for the generic doors and webhooks, never shown by the sessions API. */
export const OWN_SESSION_EVENT_TYPES = ['session.created', 'session.archived'] as const;

/** Every type that the catalogue has of the family. */
export const STORED_SESSION_EVENT_TYPES = [...SESSION_EVENT_TYPES, ...OWN_SESSION_EVENT_TYPES] as const;

export type SendableSessionEventType = (typeof SENDABLE_SESSION_EVENT_TYPES)[number];
export type EngineSessionEventType = (typeof ENGINE_SESSION_EVENT_TYPES)[number];
export type ListableSessionEventType = (typeof LISTABLE_SESSION_EVENT_TYPES)[number];
export type SessionEventType = (typeof SESSION_EVENT_TYPES)[number];
export type OwnSessionEventType = (typeof OWN_SESSION_EVENT_TYPES)[number];
export type StoredSessionEventType = (typeof STORED_SESSION_EVENT_TYPES)[number];

const SHOWN: ReadonlySet<string> = new Set(SESSION_EVENT_TYPES);

/** Whether the sessions API shows events of this type: neither those of our own nor free ones. */
export function isShownSessionEventType(type: string): type is SessionEventType {
  return SHOWN.has(type);
}
