import type { JSONWebKeySet } from 'jose';
import { z } from 'zod';

/** Most keys in a key set. */
export const MAX_KEYS_IN_SET = 100;

export type KeySet = JSONWebKeySet;

const jwkSchema = z.looseObject({ kty: z.string(), kid: z.string().optional(), alg: z.string().optional() });

export const keySetSchema = z.object({ keys: z.array(jwkSchema).max(MAX_KEYS_IN_SET) });

/** Kinds of key that can verify EdDSA and RS256. */
const USABLE_KINDS = new Set(['OKP', 'RSA']);

/**
 * The keys of a set that may verify a token: public ones of the pinned algorithms. Others are left out, above all
 * symmetric keys. Throws when it is no key set at all.
 */
export function publicKeySet(value: unknown): KeySet {
  const { keys } = keySetSchema.parse(value);
  return { keys: keys.filter((key) => USABLE_KINDS.has(key.kty) && !('d' in key) && !('k' in key)) };
}
