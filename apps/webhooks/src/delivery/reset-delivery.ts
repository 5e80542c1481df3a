import { randomUUID } from 'node:crypto';
import { encodeCursor, type CursorPlace, type ResetReason } from '@sluice/event-log';
import {
  newLetter,
  RESET_TYPE,
  type EndpointProgress,
  type RecordedDelivery,
  type ResetNotice,
} from '@sluice/webhook-delivery';

/** What is kept where a cursor cannot be honoured: its application is told before anything else, and what waited is given up. */
export function resetDelivery(
  { place: before, head: lost, ...failing }: EndpointProgress,
  reason: ResetReason,
  place: CursorPlace,
  nowMs: number,
): RecordedDelivery {
  const reset = { reason, requested: encodeCursor(before), at: encodeCursor(place) };
  const subject: ResetNotice = { id: randomUUID(), type: RESET_TYPE, occurredAt: nowMs, ...reset };
  const head = { subject, position: place.position, attempts: 0, nextAttemptAt: nowMs };
  return {
    entry: { kind: 'reset', outcome: 'reset', at: nowMs, eventId: subject.id, eventType: RESET_TYPE, reset },
    progress: { ...failing, place, head },
    ...(lost && { deadLetter: newLetter(lost) }),
  };
}
