/** What a request tells: the recorded event, as JSON text. */
export interface ToldEvent {
  readonly eventId: string;
  readonly type: string;
  readonly occurredAt: number;
  /** The recorded event exactly as the generic doors show it. */
  readonly json: string;
}

import type { ResetNotice } from './webhook-endpoint';

/** The type of a test. No event has it: types of events are those of the catalogue. */
export const PING_TYPE = 'webhook.ping';

/**
 * The body of a request, the same bytes for every attempt: `{"type","id","created_at","data"}`, with the recorded event as
 * `data`. `created_at` is when the event occurred, as ISO 8601 in UTC.
 */
export function webhookBody({ eventId, type, occurredAt, json }: ToldEvent): string {
  const head = JSON.stringify({ type, id: eventId, created_at: new Date(occurredAt).toISOString() });
  return `${head.slice(0, -1)},"data":${json}}`;
}

/** The body that tells of a reset: `{"type":"webhook.reset","id","created_at","data":{"reason","requested","at"}}`. */
export function noticeBody({ id, type, occurredAt, reason, requested, at }: ResetNotice): string {
  return webhookBody({ eventId: id, type, occurredAt, json: JSON.stringify({ reason, requested, at }) });
}
