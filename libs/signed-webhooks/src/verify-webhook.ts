import { timingSafeEqual } from 'node:crypto';
import { headerOf, type ReceivedHeaders } from './webhook-headers';
import { signatureOf } from './webhook-secret';

/** How far the clock of the sender may be off, either way: what is older is a replay. */
export const WEBHOOK_TOLERANCE_MS = 300_000;

/** Longest `webhook-id` that is taken. */
export const MAX_WEBHOOK_ID_LENGTH = 256;

/** Most signatures of one request that are looked at: a sender that changes its secret sends two. */
export const MAX_WEBHOOK_SIGNATURES = 16;

export interface VerifyWebhook {
  /** Any of them may have signed, so that secrets can be changed without a pause. */
  readonly secrets: readonly string[];
  readonly headers: ReceivedHeaders;
  /** Exactly what came, before it is parsed. */
  readonly body: string | Uint8Array;
  readonly nowMs: number;
}

/**
 * - `missing`: a header is absent, came twice, or is none of Standard Webhooks
 * - `timestamp`: signed more than 300 s ago, or as far ahead
 * - `signature`: none of the signatures is of one of the secrets
 */
export type WebhookVerdict =
  | { readonly ok: true; readonly id: string }
  | { readonly ok: false; readonly reason: 'missing' | 'timestamp' | 'signature' };

const VISIBLE_ASCII = /^[\x21-\x7e]+$/;
const SECONDS = /^(?:0|[1-9]\d{0,11})$/;

/**
 * Whether the request was signed, by whom and when it should be. Never throws for what came, whatever it is.
 * It knows nothing of messages before: who must not act twice remembers the ids for as long as the tolerance.
 *
 * @throws Error for one of `secrets` that is no secret
 */
export function verifyWebhook({ secrets, headers, body, nowMs }: VerifyWebhook): WebhookVerdict {
  const id = headerOf(headers, 'webhook-id');
  const timestamp = headerOf(headers, 'webhook-timestamp');
  const signatures = headerOf(headers, 'webhook-signature');
  if (id === undefined || timestamp === undefined || signatures === undefined || !isWebhookId(id)) {
    return { ok: false, reason: 'missing' };
  }
  if (!SECONDS.test(timestamp) || Math.abs(nowMs - Number(timestamp) * 1000) > WEBHOOK_TOLERANCE_MS) {
    return { ok: false, reason: 'timestamp' };
  }
  const given = signatures.split(' ', MAX_WEBHOOK_SIGNATURES);
  const expected = secrets.map((secret) => signatureOf(secret, id, Number(timestamp), body));
  // Each pair is compared, whichever fits: the time tells nothing.
  const fitting = expected.flatMap((one) => given.filter((other) => isSameText(one, other)));
  return fitting.length > 0 ? { ok: true, id } : { ok: false, reason: 'signature' };
}

function isWebhookId(id: string): boolean {
  return id.length <= MAX_WEBHOOK_ID_LENGTH && VISIBLE_ASCII.test(id);
}

/** Takes as long for any two texts of one length. */
function isSameText(one: string, other: string): boolean {
  const [left, right] = [Buffer.from(one), Buffer.from(other)];
  return left.length === right.length && timingSafeEqual(left, right);
}
