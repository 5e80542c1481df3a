import { defineOperation, type Operation } from '@sluice/api-description';
import { z } from 'zod';
import { erasureOperations } from './erasure-operations';
import { retentionOperations } from './retention-operations';

const json = 'application/json';
const rebuild = { app: 'projector', tag: 'Administration', access: 'operator' } as const;

export const noQuerySchema = z.strictObject({});

export const rebuildRequestSchema = z.strictObject({
  positions: z
    .enum(['keep', 'renumber'])
    .default('keep')
    .describe(
      '`keep`: every event keeps its position, and every cursor stays valid. `renumber`: events are numbered anew, and every cursor is answered by a reset.',
    ),
  dropOld: z
    .boolean()
    .default(false)
    .describe('Drop the former model after the switch. Otherwise it stays until it is dropped by hand.'),
});

export const rebuildViewSchema = z.object({
  rebuildId: z.int(),
  state: z.enum(['building', 'aborting', 'switched', 'aborted', 'failed']),
  positions: z.enum(['keep', 'renumber']),
  dropOld: z.boolean(),
  requestedAt: z.int().describe('In milliseconds since 1970.'),
  finishedAt: z.int().optional(),
  holder: z.string().optional().describe('The process that builds; absent while none does.'),
  builtEvents: z.int().describe('Events that the model beside has in full.'),
  liveEvents: z.int().describe('Events of the live model.'),
  leftOutEvents: z
    .int()
    .describe('Events without effect: a projection rejected them, or they are removed and the log has them no more.'),
  attempts: z.int().describe('Switches that came to nothing, as too much was left to be done.'),
  fault: z.string().optional().describe('Why it failed, or what held it up last.'),
  oldModelKept: z.boolean().describe('The former model of an earlier switch is still there.'),
});

export const rebuildAnswerSchema = z.object({ rebuild: rebuildViewSchema });
export const newestRebuildSchema = z.object({
  rebuild: rebuildViewSchema.nullable().describe('The newest one; null when there never was one.'),
});
export const droppedSchema = z.object({ dropped: z.boolean().describe('False where there was none.') });

export const requestRebuild = defineOperation({
  ...rebuild,
  method: 'POST',
  path: '/v1/admin/rebuild',
  summary: 'Rebuild the read model from the durable log',
  description:
    'A projector builds it beside the live one and exchanges them; readers and writers go on meanwhile. The answer does not wait for it.',
  parameters: { query: noQuerySchema },
  body: { [json]: rebuildRequestSchema },
  responses: {
    202: { description: 'It will be rebuilt.', content: { [json]: rebuildAnswerSchema } },
    409: { description: 'A rebuild is under way, or the former model of an earlier one is still there.' },
  },
});

export const readRebuild = defineOperation({
  ...rebuild,
  method: 'GET',
  path: '/v1/admin/rebuild',
  summary: 'The newest rebuild of the read model, and how far it is',
  parameters: { query: noQuerySchema },
  responses: { 200: { description: 'As it is.', content: { [json]: newestRebuildSchema } } },
});

export const abortRebuild = defineOperation({
  ...rebuild,
  method: 'DELETE',
  path: '/v1/admin/rebuild',
  summary: 'End the rebuild that is under way',
  description: 'The live read model stays as it is. What was built is dropped within seconds, not before the answer.',
  parameters: { query: noQuerySchema },
  responses: {
    202: { description: 'It will end.', content: { [json]: rebuildAnswerSchema } },
    409: { description: 'No rebuild is under way.' },
  },
});

export const dropOldModel = defineOperation({
  ...rebuild,
  method: 'DELETE',
  path: '/v1/admin/rebuild/old',
  summary: 'Drop the former read model that a switch left',
  parameters: { query: noQuerySchema },
  responses: {
    200: { description: 'It is gone.', content: { [json]: droppedSchema } },
    409: { description: 'It is still being read.' },
  },
});

/** Every HTTP operation of this app. */
export const projectorOperations: readonly Operation[] = [
  requestRebuild,
  readRebuild,
  abortRebuild,
  dropOldModel,
  ...erasureOperations,
  ...retentionOperations,
];
