import { createHmac, randomBytes } from 'node:crypto';

const SECRET_PREFIX = 'whsec_';
const SECRET_BYTES = 32;
const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** A random secret: `whsec_` and 32 bytes in base64, as every library of Standard Webhooks reads it. */
export function newWebhookSecret(): string {
  return SECRET_PREFIX + randomBytes(SECRET_BYTES).toString('base64');
}

/**
 * `v1,<base64>` over `id.seconds.body`. By the native hash: the libraries of Standard Webhooks hash in JavaScript, which holds
 * up a process for a second where files are in the body.
 * @throws Error for a secret that is no secret; it is not in the message.
 */
export function signatureOf(secret: string, id: string, timestampS: number, body: string | Uint8Array): string {
  const hmac = createHmac('sha256', keyOf(secret)).update(`${id}.${timestampS}.`).update(body);
  return `v1,${hmac.digest('base64')}`;
}

function keyOf(secret: string): Buffer {
  const text = secret.startsWith(SECRET_PREFIX) ? secret.slice(SECRET_PREFIX.length) : secret;
  const key = BASE64.test(text) ? Buffer.from(text, 'base64') : undefined;
  if (key === undefined || key.length === 0) throw new Error('The secret of a webhook has to be base64');
  return key;
}
