import { z } from 'zod';
import { timestampMsSchema } from '../envelope';
import { deadlineAt, durationMs, id, ids, text, title } from './fields';

export const CRON_JOB_TYPES = ['agent', 'script'] as const;

const cronJobTypeSchema = z.enum(CRON_JOB_TYPES);

/** Longest time between two runs that `every` can say: ten years, in seconds. */
const MAX_EVERY_SECONDS = 315_360_000;

const nextRunAt = timestampMsSchema.nullable().meta({ description: 'Next due time in milliseconds; null: none.' });

export const cronJobSchema = z
  .strictObject({
    id,
    name: title,
    job_type: cronJobTypeSchema,
    message: text.optional(),
    script: text.optional(),
    cron: title.optional(),
    every: z.int().min(1).max(MAX_EVERY_SECONDS).optional().meta({ description: 'Seconds from one run to the next.' }),
    timezone: title.optional(),
    channel: title.optional(),
    agent: id,
    enabled: z.boolean(),
    notifications: z.strictObject({ in_app: z.boolean(), system: z.boolean(), channel_ids: ids }),
    catch_up: z.enum(['once', 'all', 'skip']),
    next_run_at: nextRunAt,
    created_at: timestampMsSchema,
    updated_at: timestampMsSchema,
  })
  .refine(({ cron, every }) => (cron === undefined) !== (every === undefined), {
    error: 'must have exactly one of cron and every',
  })
  .meta({ oneOf: ['cron', 'every'].map((field) => ({ properties: { [field]: {} }, required: [field] })) });

export type CronJob = z.infer<typeof cronJobSchema>;

const run = { job_id: id, job_name: title, run_id: id };

export const CRON_DATA_SCHEMAS = {
  cron_job_created: z.strictObject({ job: cronJobSchema }),
  cron_job_updated: z.strictObject({ job: cronJobSchema }),
  cron_job_deleted: z.strictObject({ job_id: id }),
  cron_job_triggered: z.strictObject({
    ...run,
    triggered_at: timestampMsSchema,
    due_at: timestampMsSchema,
    manual: z.boolean(),
    missed: z.int().min(0).meta({ description: 'Due times before this one that had no run.' }),
    next_run_at: nextRunAt,
    deadline_at: deadlineAt,
  }),
  cron_job_completed: z.strictObject({
    job_id: id,
    job_name: title,
    job_type: cronJobTypeSchema,
    run_id: id,
    status: z.literal('success'),
    duration_ms: durationMs,
    output: text.optional(),
    completed_at: timestampMsSchema,
  }),
  cron_job_failed: z.strictObject({ ...run, error: text, duration_ms: durationMs, failed_at: timestampMsSchema }),
};
