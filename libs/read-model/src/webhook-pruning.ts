import type { WebhookStore } from '@sluice/webhook-delivery';
import type { Queries } from './database';
import { orUnavailable } from './unavailable';

/** Forgets what is old, the oldest first. */
export async function pruneWebhooks(
  queries: Queries,
  { deliveriesBefore, deadLettersBefore, limit }: Parameters<WebhookStore['prune']>[0],
): ReturnType<WebhookStore['prune']> {
  return {
    deliveries: await orUnavailable(
      () => queries.$executeRaw`
        DELETE FROM webhooks.deliveries d USING (
          SELECT endpoint_id, delivery_id FROM webhooks.deliveries
          WHERE at < ${BigInt(deliveriesBefore)} ORDER BY at LIMIT ${limit}
        ) old WHERE d.endpoint_id = old.endpoint_id AND d.delivery_id = old.delivery_id`,
    ),
    deadLetters: await orUnavailable(
      () => queries.$executeRaw`
        DELETE FROM webhooks.dead_letters l USING (
          SELECT endpoint_id, dead_letter_id FROM webhooks.dead_letters
          WHERE dead_at < ${BigInt(deadLettersBefore)} ORDER BY dead_at LIMIT ${limit}
        ) old WHERE l.endpoint_id = old.endpoint_id AND l.dead_letter_id = old.dead_letter_id`,
    ),
  };
}
