import { defineOperation, type Operation } from '@sluice/api-description';
import { ERASURE_STEPS, MAX_ERASED_FIELDS, MAX_LISTED_ERASURES, parseFieldPointers } from '@sluice/event-log';
import { entityIdSchema, eventFamilySchema, workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';

const json = 'application/json';
const erasure = { app: 'projector', tag: 'Administration', access: 'operator' } as const;

const DEFAULT_LIMIT = 20;

/** Of one, and of the text of a query. */
const wholeNumberText = z
  .string()
  .regex(/^[1-9]\d{0,14}$/, 'must be a whole number from 1')
  .transform(Number);

const fieldSchema = z.string().refine(isPointer, {
  error: 'must be a JSON pointer into the data of events, for example /message/content',
});

export const erasureRequestSchema = z.strictObject({
  workspaceId: workspaceIdSchema,
  family: eventFamilySchema.meta({
    description: 'Not `registry`: what is about registries is public, as their chains are.',
  }),
  entityId: entityIdSchema,
  fields: z
    .array(fieldSchema)
    .max(MAX_ERASED_FIELDS)
    .default([])
    .describe('JSON pointers into the data of the events. None: all events of the entity.'),
});

export const erasurePathSchema = z.strictObject({ erasureId: wholeNumberText });

export const erasuresQuerySchema = z.strictObject({
  before: wholeNumberText.optional().describe('`nextBefore` of the page before.'),
  limit: wholeNumberText
    .refine((limit) => limit <= MAX_LISTED_ERASURES, `must be at most ${MAX_LISTED_ERASURES}`)
    .default(DEFAULT_LIMIT)
    .describe(`How many at most: 1 to ${MAX_LISTED_ERASURES}, ${DEFAULT_LIMIT} when absent.`),
});

export const erasureViewSchema = z.object({
  erasureId: z.int(),
  workspaceId: z.int(),
  family: z.string(),
  entityId: z.string(),
  fields: z.array(z.string()).describe('None: all events of the entity.'),
  step: z
    .enum(ERASURE_STEPS)
    .optional()
    .describe('The step that it is at, or was at when it was abandoned; absent when it is done.'),
  requestedAt: z.int().describe('In milliseconds since 1970.'),
  finishedAt: z.int().optional(),
  abandonedAt: z.int().optional().describe('When an operator abandoned it; absent otherwise.'),
  leftOver: z.string().optional().describe('What is not erased, where it was abandoned.'),
  holder: z.string().optional().describe('The process that is at it; absent while none is.'),
  upTo: z.int().optional().describe('Events up to this position are erased; absent before that is known.'),
  erasedEvents: z.int().describe('Events that went, or lost a field.'),
  erasedParked: z.int().describe('Parked records that went.'),
  caveat: z.string().optional().describe('What the log could not take out.'),
  fault: z.string().optional().describe('What held it up last; absent since it went on.'),
});

export const erasureAnswerSchema = z.object({ erasure: erasureViewSchema });
export const erasurePageSchema = z.object({
  erasures: z.array(erasureViewSchema),
  nextBefore: z.int().optional().describe('`before` of the next page; absent on the last one.'),
});

export const requestErasure = defineOperation({
  ...erasure,
  method: 'POST',
  path: '/v1/admin/erasures',
  summary: 'Erase an entity, or fields of its events',
  description:
    'From the log, the read model, the delivery log and what apps keep of it. Positions, ids and the order of what stays are as they were. The answer does not wait for it.',
  parameters: { query: z.strictObject({}) },
  body: { [json]: erasureRequestSchema },
  responses: {
    202: { description: 'It will be erased.', content: { [json]: erasureAnswerSchema } },
    404: { description: 'Nothing was recorded of the entity.' },
    409: {
      description:
        'An erasure of the entity is open, the read model is being rebuilt or a former one is kept, the session is not deleted, the log erases nothing, or retention has removed events of which fields are to be erased.',
    },
  },
});

export const listErasures = defineOperation({
  ...erasure,
  method: 'GET',
  path: '/v1/admin/erasures',
  summary: 'The erasures, the newest first',
  parameters: { query: erasuresQuerySchema },
  responses: { 200: { description: 'A page.', content: { [json]: erasurePageSchema } } },
});

export const readErasure = defineOperation({
  ...erasure,
  method: 'GET',
  path: '/v1/admin/erasures/{erasureId}',
  summary: 'One erasure, and how far it is',
  parameters: { path: erasurePathSchema, query: z.strictObject({}) },
  responses: {
    200: { description: 'As it is.', content: { [json]: erasureAnswerSchema } },
    404: { description: 'There is none of this id.' },
  },
});

export const abandonErasure = defineOperation({
  ...erasure,
  method: 'DELETE',
  path: '/v1/admin/erasures/{erasureId}',
  summary: 'Abandon an erasure where it is',
  description:
    'What it has erased stays erased, and the answer says what has the text still. A rebuild may begin then, and the erasure can be asked for again. One that was abandoned before is answered as it is.',
  parameters: { path: erasurePathSchema, query: z.strictObject({}) },
  responses: {
    200: {
      description: 'Nobody goes on with it, once what is in hand in the log has come to its end.',
      content: { [json]: erasureAnswerSchema },
    },
    404: { description: 'There is none of this id.' },
    409: { description: 'It is done.' },
  },
});

export const erasureOperations: readonly Operation[] = [requestErasure, listErasures, readErasure, abandonErasure];

function isPointer(pointer: string): boolean {
  try {
    parseFieldPointers([pointer]);
    return true;
  } catch {
    return false;
  }
}
