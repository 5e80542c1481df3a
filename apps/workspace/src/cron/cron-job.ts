import { cronJobSchema, type CronJob } from '@sluice/event-schema';
import type { WorkspaceDocument } from '@sluice/projections';
import { z } from 'zod';
import { MAIN_AGENT } from '../agents/agent-types';

const job = cronJobSchema.shape;

const notifications = job.notifications;
const DEFAULT_NOTIFICATIONS = { in_app: true, system: false, channel_ids: [] };

/** The body that makes a cron job. */
export const newCronJobSchema = z
  .strictObject({
    id: job.id.optional(),
    name: job.name.min(1),
    job_type: job.job_type.default('agent'),
    message: job.message,
    script: job.script,
    cron: job.cron,
    every: job.every,
    timezone: job.timezone,
    channel: job.channel,
    agent: job.agent.default(MAIN_AGENT),
    enabled: job.enabled.default(true),
    notifications: notifications
      .partial()
      .transform((given) => ({ ...DEFAULT_NOTIFICATIONS, ...given }))
      .default(DEFAULT_NOTIFICATIONS),
    catch_up: job.catch_up.default('once'),
  })
  .refine(({ cron, every }) => (cron === undefined) !== (every === undefined), {
    error: 'must have exactly one of cron and every',
  })
  .meta({ oneOf: [{ required: ['cron'] }, { required: ['every'] }] });

export type NewCronJob = z.output<typeof newCronJobSchema>;

/** The body that changes a cron job. `cron` takes the place of `every` and the other way round. */
export const cronJobPatchSchema = z
  .strictObject({
    name: job.name.min(1),
    job_type: job.job_type,
    message: job.message.unwrap(),
    script: job.script.unwrap(),
    cron: job.cron.unwrap(),
    every: job.every.unwrap(),
    timezone: job.timezone.unwrap().nullable(),
    channel: job.channel.unwrap().nullable(),
    agent: job.agent,
    enabled: job.enabled,
    notifications: notifications.partial(),
    catch_up: job.catch_up,
  })
  .partial()
  .refine(({ cron, every }) => cron === undefined || every === undefined, {
    error: 'must have at most one of cron and every',
  });

export type CronJobPatch = z.output<typeof cronJobPatchSchema>;

/** A cron job as it is answered: the job and its last run. */
export const cronJobViewSchema = z
  .object({
    ...job,
    last_run: z
      .object({
        run_id: z.string(),
        status: z.enum(['running', 'success', 'failed']),
        triggered_at: z.int(),
        ended_at: z.int().nullable(),
      })
      .optional(),
  })
  .meta({ title: 'CronJob' });

export type CronJobView = z.output<typeof cronJobViewSchema>;

export function cronJobViewOf({ fields }: WorkspaceDocument): CronJobView {
  return fields as CronJobView;
}

/** The job with the changes laid over it; when it is due is not looked at. */
export function patchedJob(before: CronJob, patch: CronJobPatch, nowMs: number): CronJob {
  const { notifications: given, timezone, channel, cron, every, ...rest } = patch;
  const changed: Record<string, unknown> = { ...before, ...rest, updated_at: nowMs };
  if (given) changed['notifications'] = { ...before.notifications, ...given };
  if (cron !== undefined) setOrRemove(changed, { cron, every: null });
  if (every !== undefined) setOrRemove(changed, { every, cron: null, timezone: null });
  setOrRemove(changed, { timezone, channel });
  return changed as CronJob;
}

/** `undefined` leaves a member as it is, null takes it away. */
function setOrRemove(target: Record<string, unknown>, members: Record<string, unknown>): void {
  for (const [name, value] of Object.entries(members)) {
    if (value === null) delete target[name];
    else if (value !== undefined) target[name] = value;
  }
}

/** Most characters of an id that is made of a name. */
const MAX_SLUG_LENGTH = 64;

/** The id of a job that names none; empty where the name has no letter or digit of ASCII. */
export function slugOf(name: string): string {
  return name
    .normalize('NFKD')
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, '-')
    .slice(0, MAX_SLUG_LENGTH)
    .replaceAll(/^-+|-+$/g, '');
}
