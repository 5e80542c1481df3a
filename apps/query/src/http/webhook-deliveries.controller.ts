import { Controller, Get, Inject, Req } from '@nestjs/common';
import { authorise } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import { DELIVERY_OUTCOMES, type StoredDelivery, type WebhookStore } from '@sluice/webhook-delivery';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { WEBHOOKS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { workspaceOf } from './caller';
import { limitField, wholeNumber, workspaceField } from './fields';

const MAX_EVENT_ID_CHARS = 100;

export const webhookPathSchema = z.object({
  endpointId: z.string().regex(/^whk_[0-9a-f]{32}$/, 'must be the id of an endpoint'),
});

export const deliveriesQuerySchema = z.strictObject({
  workspaceId: workspaceField,
  before: wholeNumber(1, Number.MAX_SAFE_INTEGER).optional().meta({ description: '`nextBefore` of the page before.' }),
  outcome: z.enum(DELIVERY_OUTCOMES).optional().meta({ description: 'Only those with this outcome.' }),
  eventId: z.string().max(MAX_EVENT_ID_CHARS).optional().meta({ description: 'Only those of this event.' }),
  limit: limitField(),
});

export interface DeliveryPage {
  readonly deliveries: readonly StoredDelivery[];
  readonly nextBefore?: number | undefined;
}

/** What was opened of webhooks; asked for by this door only. */
export type WebhookDeliveries = () => Promise<Pick<WebhookStore, 'deliveries'>>;

/** `GET /v1/webhook-deliveries/{endpointId}`: what an application was sent, and what it answered. */
@Controller('v1/webhook-deliveries')
export class WebhookDeliveriesController {
  constructor(@Inject(WEBHOOKS) private readonly webhooks: WebhookDeliveries) {}

  @Get(':endpointId')
  @AdmitsTo('reading')
  async read(@Req() request: FastifyRequest): Promise<DeliveryPage> {
    const principal = callerOf(request);
    const { limit, before, outcome, eventId, ...query } = validate(deliveriesQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'read', { workspaceId });
    const { endpointId } = validate(webhookPathSchema, request.params, 'path');
    const store = await this.webhooks();
    // One more than is wanted tells whether there is a next page.
    const found = await store.deliveries({
      workspaceId,
      endpointId,
      before,
      outcome,
      eventId,
      limit: limit + 1,
    });
    if (found === undefined) throw new SluiceError('not_found', 'No such endpoint', { where: 'path.endpointId' });
    const deliveries = found.slice(0, limit);
    return { deliveries, ...(found.length > limit && { nextBefore: deliveries.at(-1)?.deliveryId }) };
  }
}
