import { defineOperation, type Operation } from '@sluice/api-description';
import { cloudEventSchema, MAX_BATCH_EVENTS } from '@sluice/event-schema';
import { z } from 'zod';
import { ackQuerySchema } from './ack';
import { idempotencyKeySchema, nativeEventSchema } from './event-drafts';
import { registryEventInputSchema } from './registry-drafts';

const json = 'application/json';

const batchOf = <T extends z.ZodType>(event: T) =>
  z.strictObject({ events: z.array(event).min(1).max(MAX_BATCH_EVENTS) });

const timestamp = z.int().meta({ description: 'When it happened, in milliseconds since 1970.' });

/** The answer for events that are described by `event`. */
const storedOf = (event: z.ZodType) =>
  z.object({
    success: z.literal(true),
    data: z.union([event, z.object({ events: z.array(event), count: z.int() })]),
  });

const sandboxStoredSchema = storedOf(
  z.object({ eventId: z.string(), sandboxId: z.string(), type: z.string(), timestamp }),
);

const registryStoredSchema = storedOf(
  z.object({ eventId: z.string(), agentId: z.string(), type: z.string(), timestamp }),
);

const headers = z.object({
  'Idempotency-Key': idempotencyKeySchema.optional().meta({
    description:
      'The same key about the same sandbox or agent is the same event. Events of a batch are told apart by their place.',
  }),
});

function storedResponses(schema: z.ZodType): Operation['responses'] {
  return {
    201: { description: 'Stored, and readable unless `ack=log`.', content: { [json]: schema } },
    202: {
      description: 'Stored; not readable yet within the time to wait, or by an earlier request and not kept any more.',
      content: { [json]: schema },
    },
    409: { description: 'An idempotency key belongs to another event.' },
    422: { description: 'An event does not fit its schema; `where` names the first fault.' },
  };
}

/** Every operation of this app. */
export const ingestOperations: readonly Operation[] = [
  defineOperation({
    method: 'POST',
    path: '/events',
    app: 'ingest',
    tag: 'Writing',
    access: 'key',
    summary: 'Store events of sandboxes',
    description:
      'One event, a batch, or CloudEvents in any of their HTTP modes (binary: `ce-*` headers, and the body is the data). A 2xx means that the durable log has them (G1). After a 409 or 5xx some may be stored: repeat with the same keys.',
    parameters: { query: ackQuerySchema, headers },
    body: {
      [json]: z.union([nativeEventSchema, batchOf(nativeEventSchema)]),
      'application/cloudevents+json': cloudEventSchema,
      'application/cloudevents-batch+json': z.array(cloudEventSchema).min(1).max(MAX_BATCH_EVENTS),
    },
    responses: storedResponses(sandboxStoredSchema),
  }),
  defineOperation({
    method: 'POST',
    path: '/v1/registry/events',
    app: 'ingest',
    tag: 'Writing',
    access: 'operator',
    summary: 'Store public events of the registries of agents',
    description: 'One event or a batch. Every workspace can read them.',
    parameters: { query: ackQuerySchema, headers },
    body: { [json]: z.union([registryEventInputSchema, batchOf(registryEventInputSchema)]) },
    responses: storedResponses(registryStoredSchema),
  }),
];
