import type { DeadLetter, DeliveriesQuery, DeliveryEntry, PastQuery, StoredDelivery } from '@sluice/webhook-delivery';
import { MAX_WEBHOOK_PAGE } from '@sluice/webhook-delivery';
import type { Queries } from './database';
import { canBeStored } from './session-rows';
import { orUnavailable } from './unavailable';
import { fromDeadLetterRow, fromDeliveryRow, type DeadLetterRow } from './webhook-rows';

/** Above every id. */
const NO_BEFORE = 2n ** 62n;

/** Of an outer join: a row without values stands for an endpoint that has none. */
export type Nullable<Row> = { readonly [Column in keyof Row]: Row[Column] | null };

export function isPresent<Row extends object>(row: Nullable<Row>): row is Nullable<Row> & Row {
  return Object.values(row)[0] !== null;
}

/** How a field stands in the text of an entry: quotes in values are escaped, so that it stands nowhere else. */
function fieldText(field: object): string {
  return JSON.stringify(field).slice(1, -1);
}

export const page = (limit: number): number => Math.min(limit, MAX_WEBHOOK_PAGE);
const beforeOf = (before: number | undefined): bigint => (before === undefined ? NO_BEFORE : BigInt(before));

/** See `WebhookStore.log`. */
export async function logDelivery(
  queries: Queries,
  workspaceId: number,
  endpointId: string,
  entry: DeliveryEntry,
  keptDeliveries: number,
): Promise<boolean> {
  if (!canBeStored(endpointId)) return false;
  const logged = await orUnavailable(
    () => queries.$executeRaw`
    WITH of AS (
      UPDATE webhooks.endpoints SET last_delivery_id = last_delivery_id + 1
      WHERE endpoint_id = ${endpointId} AND workspace_id = ${workspaceId}::int
      RETURNING endpoint_id, last_delivery_id
    ), forgotten AS (
      DELETE FROM webhooks.deliveries d USING of WHERE d.endpoint_id = of.endpoint_id
        AND d.delivery_id <= of.last_delivery_id - ${keptDeliveries}::bigint
    )
    INSERT INTO webhooks.deliveries (endpoint_id, delivery_id, at, entry)
    SELECT endpoint_id, last_delivery_id, ${BigInt(entry.at)}::bigint, ${JSON.stringify(entry)} FROM of`,
  );
  return logged === 1;
}

/** See `WebhookStore.deliveries`. */
export async function readDeliveries(
  queries: Queries,
  query: DeliveriesQuery,
): Promise<readonly StoredDelivery[] | undefined> {
  const { workspaceId, endpointId, before, limit, outcome, eventId } = query;
  if (!canBeStored(endpointId)) return undefined;
  const rows = await orUnavailable(
    () => queries.$queryRaw<Nullable<{ readonly delivery_id: bigint; readonly entry: string }>[]>`
    SELECT d.delivery_id, d.entry FROM webhooks.endpoints e LEFT JOIN LATERAL (
      SELECT delivery_id, entry FROM webhooks.deliveries
      WHERE endpoint_id = e.endpoint_id AND delivery_id < ${beforeOf(before)}
        AND (${outcome === undefined} OR strpos(entry, ${fieldText({ outcome })}) > 0)
        AND (${eventId === undefined} OR strpos(entry, ${fieldText({ eventId })}) > 0)
      ORDER BY delivery_id DESC LIMIT ${page(limit)}
    ) d ON true
    WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int ORDER BY d.delivery_id DESC`,
  );
  return rows.length === 0 ? undefined : rows.filter(isPresent).map(fromDeliveryRow);
}

/** See `WebhookStore.deadLetters`. */
export async function readDeadLetters(queries: Queries, query: PastQuery): Promise<readonly DeadLetter[] | undefined> {
  const { workspaceId, endpointId, before, limit } = query;
  if (!canBeStored(endpointId)) return undefined;
  const rows = await orUnavailable(
    () => queries.$queryRaw<Nullable<DeadLetterRow>[]>`
    SELECT l.* FROM webhooks.endpoints e LEFT JOIN LATERAL (
      SELECT dead_letter_id, dead_at, replay_at, letter FROM webhooks.dead_letters
      WHERE endpoint_id = e.endpoint_id AND dead_letter_id < ${beforeOf(before)}
      ORDER BY dead_letter_id DESC LIMIT ${page(limit)}
    ) l ON true
    WHERE e.endpoint_id = ${endpointId} AND e.workspace_id = ${workspaceId}::int ORDER BY l.dead_letter_id DESC`,
  );
  return rows.length === 0 ? undefined : rows.filter(isPresent).map(fromDeadLetterRow);
}

/** All but the newest of one endpoint. */
export async function forgetDeadLetters(queries: Queries, endpointId: string, kept: number): Promise<void> {
  await orUnavailable(
    () => queries.$executeRaw`
    DELETE FROM webhooks.dead_letters
    WHERE endpoint_id = ${endpointId} AND dead_letter_id <= (
      SELECT dead_letter_id FROM webhooks.dead_letters WHERE endpoint_id = ${endpointId}
      ORDER BY dead_letter_id DESC OFFSET ${kept} LIMIT 1
    )`,
  );
}
