import { workspaceEntityId, type WorkspaceEventData, type WorkspaceEventType } from '@sluice/event-schema';

/** An event of a workspace that is about to be written. */
export interface WorkspaceDraft {
  readonly type: WorkspaceEventType;
  readonly data: WorkspaceEventData;
  readonly entityId: string;
  /** Where two writers must not both succeed, the id is derived from what they would both say; else it is a new one. */
  readonly eventId?: string;
}

/** A draft about the thing that its data names. */
export function draftOf<T extends WorkspaceEventType>(
  type: T,
  data: WorkspaceEventData<T>,
  options: Pick<WorkspaceDraft, 'eventId'> = {},
): WorkspaceDraft {
  return { type, data, entityId: entityIdOf(data), ...options };
}

/** What the data is about: a group chat's sessions are the chat's, an agent's work is its session's. */
function entityIdOf(data: WorkspaceEventData): string {
  if ('group_chat_id' in data) return workspaceEntityId('group', data.group_chat_id);
  if ('task_id' in data) return workspaceEntityId('task', data.task_id);
  if ('job' in data) return workspaceEntityId('cron', data.job.id);
  if ('job_id' in data) return workspaceEntityId('cron', data.job_id);
  return workspaceEntityId('session', data.session_id);
}
