import { encodeCursor } from '@sluice/event-log';
import { webhookFilterSchema, type DeliveryEntry, type EndpointState } from '@sluice/webhook-delivery';
import { z } from 'zod';

const timestamp = z.int().min(0).meta({ description: 'Milliseconds since 1970.' });

const progressSchema = z.object({
  cursor: z.string().meta({ description: 'Everything that matches up to here is delivered, or is a dead letter.' }),
  failedAttempts: z.int().meta({ description: 'Of the next event.' }),
  nextAttemptAt: timestamp.optional(),
  failingSince: timestamp.optional(),
});

/** An endpoint as its owner sees it: without its secrets. */
export const endpointSchema = z.object({
  endpointId: z.string(),
  workspaceId: z.int(),
  url: z.string(),
  description: z.string(),
  filter: webhookFilterSchema,
  enabled: z.boolean(),
  disabled: z
    .object({ reason: z.enum(['by_owner', 'gone', 'failing']), at: timestamp })
    .optional()
    .meta({
      description: 'Why nothing is sent: by its owner, because it answered 410, or because it failed too long.',
    }),
  createdAt: timestamp,
  updatedAt: timestamp,
  createdByKeyId: z.string().optional().meta({ description: 'By which key it was made; shown to writers.' }),
  delivery: progressSchema,
});

export const endpointsSchema = z.object({
  webhooks: z.array(endpointSchema),
  nextAfter: z.string().optional().meta({ description: 'Absent on the last page.' }),
});

const secret = z.string().meta({ description: '`whsec_…`. It is shown here and never again.' });

export const createdEndpointSchema = endpointSchema.extend({ secret });
export const rotatedSecretSchema = z.object({
  endpointId: z.string(),
  secret,
  previousSecretUntil: timestamp.meta({ description: 'Until then the former secret signs as well.' }),
});
export const removedEndpointSchema = z.object({ endpointId: z.string(), deleted: z.literal(true) });

export const pingSchema = z.object({
  delivered: z.boolean(),
  webhookId: z.string(),
  durationMs: z.int(),
  status: z.int().optional(),
  error: z.string().optional().meta({ description: 'Why there was no answer.' }),
  reason: z.string().optional().meta({ description: 'What the network or TLS says of it, such as `ECONNREFUSED`.' }),
  answer: z.string().optional().meta({ description: 'How the answer begins, at most 500 characters.' }),
});

export const deadLettersSchema = z.object({
  deadLetters: z.array(
    z.object({
      deadLetterId: z.int(),
      eventId: z.string(),
      eventType: z.string(),
      position: z.int(),
      deadAt: timestamp,
      attempts: z.int(),
      status: z.int().optional(),
      error: z.string().optional(),
      replayAt: timestamp.optional().meta({ description: 'Since when it waits to be sent again.' }),
    }),
  ),
  nextBefore: z.int().optional().meta({ description: 'Absent on the last page.' }),
});

export const replayedSchema = z.object({
  waiting: z.int().meta({ description: 'Dead letters that wait to be sent again and did not before.' }),
});

export const redeliveredSchema = z.object({
  waiting: z.int().meta({ description: 'Events that wait to be sent again.' }),
  notFound: z.array(z.string()).meta({ description: 'Of no event that this endpoint is told of.' }),
});

export const cancelledSchema = z.object({
  cancelled: z.int().meta({ description: 'Dead letters that waited to be sent again; they stay dead letters.' }),
});

export type EndpointView = z.infer<typeof endpointSchema>;

/** @param isForWriter also by which key it was made */
export function viewEndpoint({ endpoint, progress }: EndpointState, isForWriter: boolean): EndpointView {
  const { secrets: _, version: _version, disabled, createdByKeyId, ...shown } = endpoint;
  const { place, head, failingSince } = progress;
  return {
    ...shown,
    ...(isForWriter && createdByKeyId !== undefined && { createdByKeyId }),
    enabled: disabled === undefined,
    ...(disabled && { disabled }),
    delivery: {
      cursor: encodeCursor(place),
      failedAttempts: head?.attempts ?? 0,
      ...(head && { nextAttemptAt: head.nextAttemptAt }),
      ...(failingSince !== undefined && { failingSince }),
    },
  };
}

export function viewPing(entry: DeliveryEntry): z.infer<typeof pingSchema> {
  const { outcome, eventId = '', durationMs = 0, status, error, reason, answer } = entry;
  return { delivered: outcome === 'delivered', webhookId: eventId, durationMs, status, error, reason, answer };
}
