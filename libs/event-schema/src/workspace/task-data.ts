import { z } from 'zod';
import { id, path, text, title } from './fields';

export const TASK_STATUSES = [
  'pending',
  'todo',
  'backlog',
  'queue',
  'inprogress',
  'in_progress',
  'inreview',
  'review',
  'paused',
  'done',
  'completed',
  'failed',
  'cancelled',
  'archived',
] as const;

export const taskStatusSchema = z.enum(TASK_STATUSES);

export type TaskStatus = z.infer<typeof taskStatusSchema>;

const taskSchema = z.strictObject({
  title,
  /** '' when there is none. */
  description: text,
  status: taskStatusSchema,
  /** Who works on it; null while nobody does. */
  agent_id: id.nullable(),
  prompt: text.optional(),
  priority: title.optional(),
  creator: title.optional(),
  assignee: title.optional(),
  session_id: id.optional(),
  workspace_path: path.optional(),
  executor: title.optional(),
  branch: title.optional(),
  base_branch: title.optional(),
});

export const TASK_DATA_SCHEMAS = {
  task_created: z.strictObject({ task_id: id, ...taskSchema.shape }),
  task_updated: z.strictObject({ task_id: id, ...taskSchema.partial().shape }),
  task_deleted: z.strictObject({ task_id: id }),
  task_status_changed: z.strictObject({ task_id: id, old_status: taskStatusSchema, new_status: taskStatusSchema }),
};
