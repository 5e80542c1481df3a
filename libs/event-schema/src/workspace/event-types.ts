/** What happens in a workspace: to its tasks, agents, sessions, group chats and cron jobs. */
export const WORKSPACE_EVENT_TYPES = [
  'task_created',
  'task_updated',
  'task_deleted',
  'task_status_changed',
  'agent_spawned',
  'agent_completed',
  'agent_error',
  'session_created',
  'session_updated',
  'session_deleted',
  'session_message',
  'group_chat_created',
  'group_chat_updated',
  'group_chat_deleted',
  'group_chat_member_joined',
  'group_chat_member_left',
  'group_chat_session_created',
  'group_chat_message',
  'group_chat_agent_thinking',
  'group_chat_agent_response',
  'group_chat_agent_error',
  'cron_job_created',
  'cron_job_updated',
  'cron_job_deleted',
  'cron_job_triggered',
  'cron_job_completed',
  'cron_job_failed',
] as const;

export type WorkspaceEventType = (typeof WORKSPACE_EVENT_TYPES)[number];

/** The names that the event stream's own document lists; each is the document name of one of our types. */
export const DOCUMENTED_WORKSPACE_EVENTS = [
  'TaskCreated',
  'TaskUpdated',
  'TaskDeleted',
  'TaskStatusChanged',
  'AgentSpawned',
  'AgentCompleted',
  'AgentError',
  'GroupChatMessage',
  'GroupChatAgentThinking',
  'GroupChatAgentResponse',
  'CronJobTriggered',
  'CronJobCompleted',
  'CronJobFailed',
] as const;

/** The name of a type in documents and on the event stream: `task_created` is `TaskCreated`. */
export function workspaceDocumentName(type: string): string {
  return type
    .split('_')
    .map((word) => word.charAt(0).toUpperCase() + word.slice(1))
    .join('');
}
