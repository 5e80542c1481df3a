import { SluiceError, type CursorPlace } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import {
  isNotice,
  type DisabledReason,
  type EndpointProgress,
  type ResetNotice,
  type SubjectEvent,
} from './webhook-endpoint';

/** When what failed is tried again, and when it is given up. */
export interface RetryPolicy {
  /** Waits after the first, the second … failed attempt; after the last one there is one more attempt. Milliseconds. */
  readonly delaysMs: readonly number[];
  /** Share of a wait by which it is longer or shorter at random, from 0 to 1. */
  readonly jitter: number;
  /** The longest wait that an answer can ask for by Retry-After. */
  readonly maxRetryAfterMs: number;
  /** An endpoint that did nothing but fail for so long is disabled. */
  readonly disableAfterMs: number;
}

/** Most waits of a schedule. */
export const MAX_RETRY_DELAYS = 30;

/** @throws SluiceError `configuration` */
export function assertRetryPolicy({ delaysMs, jitter, disableAfterMs, maxRetryAfterMs }: RetryPolicy): void {
  const isSchedule = delaysMs.length > 0 && delaysMs.length <= MAX_RETRY_DELAYS;
  const isValid =
    isSchedule &&
    [...delaysMs, disableAfterMs, maxRetryAfterMs].every((delayMs) => Number.isSafeInteger(delayMs) && delayMs >= 0) &&
    jitter >= 0 &&
    jitter <= 1;
  if (!isValid) throw new SluiceError('configuration', 'The schedule of retries is not valid');
}

/** What came of an attempt. */
export type AttemptResult =
  | {
      readonly kind: 'answered';
      readonly status: number;
      /** How the answer begins. */
      readonly answer?: string;
      /** What the answer asks for by Retry-After. */
      readonly retryAfterMs?: number;
      readonly durationMs: number;
    }
  | {
      readonly kind: 'unanswered';
      readonly error: string;
      /** More of it: a code of the network or of TLS. */
      readonly reason?: string;
      /** Of an answer that is none, as of a redirect. */
      readonly status?: number;
      readonly durationMs: number;
    };

/** The event that was sent, and where it is. */
export interface AttemptedEvent {
  readonly place: CursorPlace;
  readonly subject: SubjectEvent | ResetNotice;
  /** Attempts that failed before this one. */
  readonly failedBefore: number;
}

/** What follows from an attempt. */
export type AttemptVerdict =
  | { readonly outcome: 'delivered'; readonly progress: EndpointProgress }
  | { readonly outcome: 'failed'; readonly progress: EndpointProgress; readonly nextAttemptAt: number }
  | { readonly outcome: 'dead'; readonly progress: EndpointProgress }
  | { readonly outcome: 'disabled'; readonly progress: EndpointProgress; readonly reason: DisabledReason };

/** The status by which an application says that it wants no more. */
const GONE = 410;

export function isSuccess(result: AttemptResult): boolean {
  return result.kind === 'answered' && result.status >= 200 && result.status < 300;
}

/** So many attempts of one event, or all of a shorter schedule, come before an endpoint is disabled for its failures. */
const MIN_ATTEMPTS_TO_DISABLE = 3;

/** Attempts that have failed for the event at this position. */
export function failedAttempts({ head }: EndpointProgress, position: Position): number {
  return head?.position === position ? head.attempts : 0;
}

/** What follows from an attempt to deliver the next event of an endpoint. `random` gives numbers from 0 to below 1. */
export function judgeAttempt(
  before: EndpointProgress,
  { place, subject, failedBefore }: AttemptedEvent,
  result: AttemptResult,
  policy: RetryPolicy,
  now: { readonly nowMs: number; readonly random: () => number },
): AttemptVerdict {
  if (isSuccess(result)) return { outcome: 'delivered', progress: { place } };
  const { nowMs } = now;
  const failing = { failingSince: failingSinceOf(before, failedBefore, nowMs), failedAt: nowMs };
  const attempts = failedBefore + 1;
  const reason = reasonToDisable(result, attempts, failing.failingSince, policy, nowMs);
  if (reason !== undefined) {
    // An event is found again from the place. A notice is not: its place is behind what it tells of (G5).
    const told = { subject, position: place.position, attempts: 0, nextAttemptAt: nowMs };
    const progress = { place: before.place, ...(isNotice(subject) && { head: told }), ...failing };
    return { outcome: 'disabled', progress, reason };
  }
  const delayMs = policy.delaysMs[attempts - 1];
  if (delayMs === undefined) return { outcome: 'dead', progress: { place, ...failing } };
  const nextAttemptAt = nowMs + retryDelayMs(attempts, result, policy, now.random);
  const head = { subject, position: place.position, attempts, nextAttemptAt, ...faultOf(result) };
  return { outcome: 'failed', progress: { place: before.place, head, ...failing }, nextAttemptAt };
}

/** How far an endpoint is that was reached by a test or a replay: what waits for it is due, and it does not fail any more. */
export function reachedProgress({ place, head }: EndpointProgress, nowMs: number): EndpointProgress {
  return { place, ...(head && { head: { ...head, nextAttemptAt: Math.min(head.nextAttemptAt, nowMs) } }) };
}

/** The status and the code of what failed. */
export function faultOf(result: AttemptResult): { readonly status?: number; readonly error?: string } {
  return {
    ...(result.status !== undefined && { status: result.status }),
    ...(result.kind === 'unanswered' && { error: result.error }),
  };
}

/**
 * Between the last failure of one event and the first attempt of the next one nothing was sent, and so nothing failed; nor
 * between the instant at which an attempt was due and a later one at which it was made.
 */
function failingSinceOf(
  { failingSince, failedAt, head }: EndpointProgress,
  failedBefore: number,
  nowMs: number,
): number {
  if (failingSince === undefined) return nowMs;
  const dueAt = failedBefore === 0 ? failedAt : head?.nextAttemptAt;
  const idleMs = dueAt === undefined ? 0 : Math.max(0, nowMs - dueAt);
  return failingSince + idleMs;
}

function reasonToDisable(
  result: AttemptResult,
  attempts: number,
  failingSince: number,
  { disableAfterMs, delaysMs }: RetryPolicy,
  nowMs: number,
): DisabledReason | undefined {
  if (result.kind === 'answered' && result.status === GONE) return 'gone';
  // A first failure says nothing about how long it lasts.
  const isTriedEnough = attempts >= Math.min(MIN_ATTEMPTS_TO_DISABLE, delaysMs.length + 1);
  return isTriedEnough && nowMs - failingSince >= disableAfterMs ? 'failing' : undefined;
}

/** The wait after so many failed attempts; after more of them than the schedule has, its last one. */
export function retryDelayMs(
  attempts: number,
  result: AttemptResult,
  policy: RetryPolicy,
  random: () => number,
): number {
  const delayMs = policy.delaysMs[Math.min(attempts, policy.delaysMs.length) - 1] ?? 0;
  const spreadMs = delayMs * policy.jitter * (2 * random() - 1);
  const askedMs = result.kind === 'answered' ? (result.retryAfterMs ?? 0) : 0;
  return Math.round(Math.max(delayMs + spreadMs, Math.min(askedMs, policy.maxRetryAfterMs)));
}

/**
 * Milliseconds until the instant of a Retry-After header, which has seconds or a date. Undefined for anything else; never
 * negative.
 */
export function retryAfterMs(header: string | undefined, nowMs: number): number | undefined {
  if (header === undefined) return undefined;
  const text = header.trim();
  if (/^\d{1,9}$/.test(text)) return Number(text) * 1000;
  const at = /[a-z]/i.test(text) ? Date.parse(text) : Number.NaN;
  return Number.isNaN(at) ? undefined : Math.max(0, at - nowMs);
}
