import { z } from 'zod';
import type { CronCommands } from '../cron/cron-commands';
import { cronJobPatchSchema, cronJobViewSchema, newCronJobSchema } from '../cron/cron-job';
import { answerOf, listBody } from './answers';
import { idPath, nextCursorField, pageFields } from './fields';
import { defineRoute } from './route';
import type { WorkspaceDoor } from './workspace-door';

const tag = 'cron';
const path = '/api/cron/{id}';
const full = { refusals: { 404: 'There is no such cron job.', 409: 'The workspace has its most enabled cron jobs.' } };
const one = { tag, path, params: idPath, refusals: { 404: 'There is no such cron job.' } } as const;

export const cronRoutes = {
  create: defineRoute({
    method: 'POST',
    path: '/api/cron',
    tag,
    summary: 'Create a cron job',
    description:
      'Due by `cron` (5 fields, or 6 with seconds first; in `timezone`, UTC by default) or `every` so many seconds. ' +
      '`catch_up` says what is done about due times that were missed: `once` runs the newest, `all` each, at most the ' +
      '100 newest, `skip` none. Without an id, the id is made of the name. Script jobs are refused where no sandbox ' +
      'runner is configured.',
    body: newCronJobSchema,
    status: 201,
    answer: cronJobViewSchema,
    refusals: { 409: 'There is a cron job of this id, or the workspace has its most enabled cron jobs.' },
  }),
  list: defineRoute({
    method: 'GET',
    path: '/api/cron',
    tag,
    summary: 'List cron jobs',
    query: pageFields(),
    answer: z.object({ jobs: z.array(cronJobViewSchema), next_cursor: nextCursorField }),
  }),
  get: defineRoute({ ...one, method: 'GET', summary: 'Read a cron job', answer: cronJobViewSchema }),
  patch: defineRoute({
    ...one,
    method: 'PATCH',
    summary: 'Change a cron job',
    description: '`cron` takes the place of `every` and the other way round. A new schedule counts from now.',
    body: cronJobPatchSchema,
    ...full,
    answer: cronJobViewSchema,
  }),
  delete: defineRoute({
    ...one,
    method: 'DELETE',
    summary: 'Delete a cron job',
    description: 'A run that goes on ends as it would.',
    answer: z.object({ deleted: z.string() }),
  }),
  enable: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/enable`,
    summary: 'Enable a cron job',
    description: 'It is due next after now.',
    ...full,
    answer: cronJobViewSchema,
  }),
  disable: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/disable`,
    summary: 'Disable a cron job',
    answer: cronJobViewSchema,
  }),
  run: defineRoute({
    ...one,
    method: 'POST',
    path: `${path}/run`,
    summary: 'Run a cron job now',
    description: 'Enabled or not; when it is due next stays as it is.',
    answer: z.object({ triggered: z.string(), message: z.string(), run_id: z.string() }),
  }),
};

export function openCron(door: WorkspaceDoor, cron: CronCommands): void {
  door.on(cronRoutes.create, async ({ scope, body }) => answerOf(await cron.create(scope, body)));
  door.on(cronRoutes.list, async ({ scope, query }) => {
    const { jobs, nextCursor } = await cron.list(scope.workspaceId, query);
    return listBody({ jobs }, nextCursor);
  });
  door.on(cronRoutes.get, async ({ scope, params }) => ({ body: await cron.get(scope.workspaceId, params.id) }));
  door.on(cronRoutes.patch, async ({ scope, params, body }) => answerOf(await cron.update(scope, params.id, body)));
  door.on(cronRoutes.delete, async ({ scope, params }) => answerOf(await cron.delete(scope, params.id)));
  door.on(cronRoutes.enable, async ({ scope, params }) =>
    answerOf(await cron.update(scope, params.id, { enabled: true })),
  );
  door.on(cronRoutes.disable, async ({ scope, params }) =>
    answerOf(await cron.update(scope, params.id, { enabled: false })),
  );
  door.on(cronRoutes.run, async ({ scope, params }) => {
    const { value, isPending } = await cron.run(scope, params.id);
    return { body: { triggered: params.id, message: 'Job execution started', run_id: value.runId }, isPending };
  });
}
