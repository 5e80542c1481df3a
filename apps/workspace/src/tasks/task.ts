import { workspaceEventDataSchema, type WorkspaceEventData } from '@sluice/event-schema';
import type { WorkspaceDocument } from '@sluice/projections';
import { z } from 'zod';
import { instant } from '../documents';

const { task_id, ...fields } = workspaceEventDataSchema('task_created').shape;

/** The body that makes a task. */
export const newTaskSchema = z.strictObject({
  ...fields,
  title: fields.title.min(1),
  description: fields.description.default(''),
  status: fields.status.default('pending'),
  agent_id: fields.agent_id.default(null),
});

export type NewTask = z.output<typeof newTaskSchema>;

/** The body that changes a task: what is given replaces what was. */
export const taskPatchSchema = z
  .strictObject({ ...fields, title: fields.title.min(1) })
  .partial()
  .meta({ title: 'TaskPatch' });

export type TaskPatch = z.output<typeof taskPatchSchema>;

/** A task as it is answered. */
export const taskSchema = z
  .object({
    id: task_id,
    ...fields,
    created_at: z.iso.datetime(),
    updated_at: z.iso.datetime(),
  })
  .meta({ title: 'Task' });

export type Task = z.output<typeof taskSchema>;

export function taskOf({ id, fields: { task_id: _, ...known }, createdAt, updatedAt }: WorkspaceDocument): Task {
  return { id, ...known, created_at: instant(createdAt), updated_at: instant(updatedAt) } as Task;
}

/** A task that cannot be read yet. */
export function taskOfEvent(
  { task_id: id, ...known }: WorkspaceEventData<'task_created'>,
  createdAt: number,
  updatedAt: number,
): Task {
  return { id, ...known, created_at: instant(createdAt), updated_at: instant(updatedAt) };
}
