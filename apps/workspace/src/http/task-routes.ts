import { z } from 'zod';
import { newTaskSchema, taskPatchSchema, taskSchema } from '../tasks/task';
import type { TaskCommands } from '../tasks/task-commands';
import { answerOf, listBody } from './answers';
import { idPath, nextCursorField, pageFields } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'tasks';
const path = '/api/tasks/{id}';
const notFound = { 404: 'There is no such task.' };
const changing = { tag, path, params: idPath, body: taskPatchSchema, answer: taskSchema, refusals: notFound } as const;

export const taskRoutes = {
  create: defineRoute({
    method: 'POST',
    path: '/api/tasks',
    tag,
    summary: 'Create a task',
    body: newTaskSchema,
    status: 201,
    answer: taskSchema,
  }),
  list: defineRoute({
    method: 'GET',
    path: '/api/tasks',
    tag,
    summary: 'List tasks',
    query: pageFields(),
    answer: z.object({ tasks: z.array(taskSchema), next_cursor: nextCursorField }),
  }),
  get: defineRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read a task',
    params: idPath,
    answer: taskSchema,
    refusals: notFound,
  }),
  patch: defineRoute({
    ...changing,
    method: 'PATCH',
    summary: 'Change a task',
    description: 'What is given replaces what was; the rest stays.',
  }),
  put: defineRoute({ ...changing, method: 'PUT', summary: 'Change a task', description: 'The same as `PATCH`.' }),
  delete: defineRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Delete a task',
    params: idPath,
    answer: z.object({ deleted: z.string() }),
    refusals: notFound,
  }),
};

export function openTasks(door: WorkspaceDoor, tasks: TaskCommands): void {
  door.on(taskRoutes.create, async ({ scope, body }) => answerOf(await tasks.create(scope, body)));
  door.on(taskRoutes.list, async ({ scope, query }) => {
    const { tasks: page, nextCursor } = await tasks.list(scope.workspaceId, query);
    return listBody({ tasks: page }, nextCursor);
  });
  door.on(taskRoutes.get, async ({ scope, params }) => ({ body: await tasks.get(scope.workspaceId, params.id) }));
  for (const route of [taskRoutes.patch, taskRoutes.put]) {
    door.on(route, async ({ scope, params, body }) => answerOf(await tasks.update(scope, params.id, body)));
  }
  door.on(taskRoutes.delete, async ({ scope, params }) => answerOf(await tasks.delete(scope, params.id)));
}
