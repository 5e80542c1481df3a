/** How every API key begins; also what tells one from an access token where either may stand. */
export const API_KEY_PREFIX = 'sk_';

const KEY_BYTES = 32;

/** 32 bytes in base64url are 43 characters. */
const API_KEY_TEXT = /^sk_[A-Za-z0-9_-]{43}$/;

/** True for what has the shape of an API key, whether it exists or not. */
export function isApiKeyText(text: string): boolean {
  return API_KEY_TEXT.test(text);
}

/** A new key: `sk_` and 32 random bytes in base64url. */
export function newApiKeyText(): string {
  const bytes = crypto.getRandomValues(new Uint8Array(KEY_BYTES));
  return API_KEY_PREFIX + Buffer.from(bytes).toString('base64url');
}

/** SHA-256 in lower-case hex. A plain hash is enough, since the text has 256 random bits: there is nothing to guess. */
export async function hashApiKey(text: string): Promise<string> {
  const digest = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text));
  return Buffer.from(digest).toString('hex');
}
