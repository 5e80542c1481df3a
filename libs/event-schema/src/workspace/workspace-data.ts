import type { z } from 'zod';
import { CRON_DATA_SCHEMAS } from './cron-data';
import type { WorkspaceEventType } from './event-types';
import { GROUP_CHAT_DATA_SCHEMAS } from './group-chat-data';
import { SESSION_DATA_SCHEMAS } from './session-data';
import { TASK_DATA_SCHEMAS } from './task-data';

const SCHEMAS = {
  ...TASK_DATA_SCHEMAS,
  ...SESSION_DATA_SCHEMAS,
  ...GROUP_CHAT_DATA_SCHEMAS,
  ...CRON_DATA_SCHEMAS,
} satisfies Record<WorkspaceEventType, z.ZodType<Record<string, unknown>>>;

/** The data of a workspace event of type `T`, as it is stored. */
export type WorkspaceEventData<T extends WorkspaceEventType = WorkspaceEventType> = z.infer<(typeof SCHEMAS)[T]>;

/** What the data of a workspace event of this type has to be. */
export function workspaceEventDataSchema<T extends WorkspaceEventType>(type: T): (typeof SCHEMAS)[T] {
  return SCHEMAS[type];
}
