import { defineEventType, type EventTypeDefinition } from '../catalogue/event-type';
import { WORKSPACE_EVENT_TYPES, type WorkspaceEventType } from './event-types';
import { workspaceEventDataSchema, type WorkspaceEventData } from './workspace-data';

const DESCRIPTIONS: Record<WorkspaceEventType, string> = {
  task_created: 'A task was created.',
  task_updated: 'Fields of a task changed; those that changed are given.',
  task_deleted: 'A task was deleted.',
  task_status_changed: 'A task got another status.',
  agent_spawned: 'An agent began to work in a session.',
  agent_completed: 'An agent ended its work in a session.',
  agent_error: 'An agent failed in a session.',
  session_created: 'A session was created.',
  session_updated: 'Fields of a session changed; those that changed are given.',
  session_deleted: 'A session was deleted.',
  session_message: 'A user or an agent said something in a session.',
  group_chat_created: 'A group chat was created.',
  group_chat_updated: 'Fields of a group chat changed; those that changed are given.',
  group_chat_deleted: 'A group chat was deleted, with all that is in it.',
  group_chat_member_joined: 'A member joined a group chat.',
  group_chat_member_left: 'A member left a group chat.',
  group_chat_session_created: 'A conversation was opened in a group chat.',
  group_chat_message: 'A member said something in a group chat.',
  group_chat_agent_thinking: 'An agent of a group chat began to think about a message.',
  group_chat_agent_response: 'An agent of a group chat answered a message.',
  group_chat_agent_error: 'An agent of a group chat could not answer a message.',
  cron_job_created: 'A cron job was created.',
  cron_job_updated: 'A cron job changed.',
  cron_job_deleted: 'A cron job was deleted.',
  cron_job_triggered: 'A run of a cron job began.',
  cron_job_completed: 'A run of a cron job ended well.',
  cron_job_failed: 'A run of a cron job failed.',
};

export const workspaceEventTypes: readonly EventTypeDefinition[] = WORKSPACE_EVENT_TYPES.map((type) =>
  defineEventType<WorkspaceEventData>(
    { family: 'workspace', type, description: DESCRIPTIONS[type] },
    workspaceEventDataSchema(type),
  ),
);
