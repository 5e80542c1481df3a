import { isNotice, type BlockedHead, type ResetNotice } from './webhook-endpoint';

/** What was sent: a live event, a dead letter once more, or a test of the owner; or what happened to the endpoint. */
export type DeliveryKind = 'event' | 'replay' | 'ping' | 'reset';

export const DELIVERY_OUTCOMES = ['delivered', 'failed', 'dead', 'disabled', 'reset'] as const;

/**
 * - `delivered`: answered with 2xx
 * - `failed`: it is tried again, at `nextAttemptAt`; a ping or a replay only when somebody asks for it again
 * - `dead`: that was the last attempt, the event is a dead letter
 * - `disabled`: the endpoint is sent nothing more; the event stays the next one
 * - `reset`: the cursor could not be honoured; events between `requested` and `at` are not told
 */
export type DeliveryOutcome = (typeof DELIVERY_OUTCOMES)[number];

/** One line of the delivery log of an endpoint. */
export interface DeliveryEntry {
  readonly kind: DeliveryKind;
  readonly outcome: DeliveryOutcome;
  /** When it was sent, in milliseconds since 1970. */
  readonly at: number;
  /** The id of the event; `webhook-id` of the request. */
  readonly eventId?: string;
  readonly eventType?: string;
  readonly position?: number;
  /** From 1 on. */
  readonly attempt?: number;
  readonly durationMs?: number;
  /** Of the answer. */
  readonly status?: number;
  /** Why there was no answer, or what was wrong with it: a stable code. */
  readonly error?: string;
  /** More of it: a code of the network or of TLS, for instance `ECONNREFUSED`. */
  readonly reason?: string;
  /** How the answer begins, at most `MAX_ANSWER_CHARS` of it. */
  readonly answer?: string;
  readonly nextAttemptAt?: number;
  /** Of a reset: why, the cursor that was asked for and the one that it goes on from. */
  readonly reset?: { readonly reason: string; readonly requested: string; readonly at: string };
}

/** Most characters of an answer that are kept. */
export const MAX_ANSWER_CHARS = 500;

/** An entry as it is kept. */
export interface StoredDelivery extends DeliveryEntry {
  /** Rises by one with each entry of its endpoint. */
  readonly deliveryId: number;
}

/** An event that was given up. */
export interface DeadLetter {
  /** The delivery that was the last attempt. */
  readonly deadLetterId: number;
  readonly eventId: string;
  readonly eventType: string;
  readonly position: number;
  readonly deadAt: number;
  readonly attempts: number;
  readonly status?: number;
  readonly error?: string;
  /** Since when it waits to be sent again. */
  readonly replayAt?: number;
  /** It is no event. */
  readonly notice?: ResetNotice;
}

/** A dead letter that is to be kept; its id and instant are those of the delivery that goes with it. */
export type NewDeadLetter = Omit<DeadLetter, 'deadLetterId' | 'deadAt' | 'replayAt'>;

/** What is not through, as a dead letter. */
export function newLetter({
  subject,
  position,
  attempts,
  status,
  error,
}: Omit<BlockedHead, 'nextAttemptAt'>): NewDeadLetter {
  return {
    eventId: subject.id,
    eventType: subject.type,
    position,
    attempts,
    ...(status !== undefined && { status }),
    ...(error !== undefined && { error }),
    ...(isNotice(subject) && { notice: subject }),
  };
}
