import { defineOperation, type Operation } from '@sluice/api-description';
import { eventFamilySchema, workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';

const json = 'application/json';
const retention = { app: 'projector', tag: 'Administration', access: 'operator' } as const;

/** The shortest age: who is connected, or was a moment ago, has it by then; and a slip of the unit does not cost everything. */
const MIN_AGE_SECONDS = 3_600;
/** A hundred years. */
const MAX_AGE_SECONDS = 3_155_760_000;

const maxAgeSchema = z
  .int()
  .min(MIN_AGE_SECONDS)
  .max(MAX_AGE_SECONDS)
  .nullable()
  .describe('Events are kept for so long after they were recorded; null: for ever.');

const ofWorkspace = 'Absent: every workspace that has no policy of its own for the family.';

export const retentionPolicySchema = z.strictObject({
  workspaceId: workspaceIdSchema.optional().meta({ description: ofWorkspace }),
  family: eventFamilySchema,
  maxAgeSeconds: maxAgeSchema,
});

export const retentionScopeSchema = z.strictObject({
  workspaceId: z
    .string()
    .regex(/^\d{1,15}$/, 'must be a whole number')
    .transform(Number)
    .pipe(workspaceIdSchema)
    .optional()
    .describe(ofWorkspace),
  family: eventFamilySchema,
});

export const noRetentionQuerySchema = z.strictObject({});

export const retentionViewSchema = z.object({
  workspaceId: z.int().optional().describe(ofWorkspace),
  family: z.string(),
  maxAgeSeconds: z.number().nullable().describe('Null: for ever.'),
  changedAt: z.int().describe('In milliseconds since 1970.'),
  removedEvents: z.int().describe('Events that were removed for it.'),
});

export const setRetention = defineOperation({
  ...retention,
  method: 'PUT',
  path: '/v1/admin/retention',
  summary: 'Set for how long events are kept',
  description:
    'Of a family, in one workspace or by default. What is older is removed from the read model within minutes, and cannot be brought back. Projections stay, and so does the durable log.',
  parameters: { query: noRetentionQuerySchema },
  body: { [json]: retentionPolicySchema },
  responses: {
    200: { description: 'It holds from now on.', content: { [json]: z.object({ policy: retentionViewSchema }) } },
    409: { description: 'There are too many policies.' },
  },
});

export const listRetention = defineOperation({
  ...retention,
  method: 'GET',
  path: '/v1/admin/retention',
  summary: 'For how long events are kept',
  description: 'A family for which there is neither a policy of the workspace nor a default is kept for ever.',
  parameters: { query: noRetentionQuerySchema },
  responses: {
    200: {
      description: 'All policies, the defaults first.',
      content: { [json]: z.object({ policies: z.array(retentionViewSchema) }) },
    },
  },
});

export const removeRetention = defineOperation({
  ...retention,
  method: 'DELETE',
  path: '/v1/admin/retention',
  summary: 'Remove a policy',
  description: 'From then on the default holds; without one, or where it was the default, events are kept for ever.',
  parameters: { query: retentionScopeSchema },
  responses: {
    200: {
      description: 'It is gone.',
      content: { [json]: z.object({ removed: z.boolean().describe('False where there was none.') }) },
    },
  },
});

export const retentionOperations: readonly Operation[] = [setRetention, listRetention, removeRetention];
