import type { WebhookHeaders } from './webhook-headers';
import { signatureOf } from './webhook-secret';

export interface SignWebhook {
  /** `whsec_` and base64, see `newWebhookSecret`. */
  readonly secret: string;
  /** Names the message: the same for every try to deliver it. Visible ASCII without a full stop. */
  readonly id: string;
  /** When this try is made, in milliseconds; the signature has it in seconds. */
  readonly timestampMs: number;
  /** Exactly what is sent. */
  readonly body: string;
}

/** The headers to send with `body`. @throws Error for a secret that is no secret */
export function signWebhook({ secret, id, timestampMs, body }: SignWebhook): WebhookHeaders {
  const timestampS = Math.floor(timestampMs / 1000);
  return {
    'webhook-id': id,
    'webhook-timestamp': String(timestampS),
    'webhook-signature': signatureOf(secret, id, timestampS, body),
  };
}
