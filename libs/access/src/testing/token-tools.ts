import { exportJWK, generateKeyPair, SignJWT, type JWK, type JWTHeaderParameters, type KeyLike } from 'jose';

export const SECRET = 'a secret of at least thirty-two bytes';
export const OTHER_SECRET = 'another secret, as long as it has to be';

export const secretBytes = (secret: string) => new TextEncoder().encode(secret);

export const base64url = (value: unknown) =>
  Buffer.from(typeof value === 'string' ? value : JSON.stringify(value)).toString('base64url');

/** Signs any claims at all, also faulty ones. */
export async function sign(
  claims: Record<string, unknown>,
  key: Uint8Array | KeyLike = secretBytes(SECRET),
  header: JWTHeaderParameters = { alg: 'HS256' },
): Promise<string> {
  return new SignJWT(claims).setProtectedHeader(header).sign(key);
}

export interface KeyPair {
  readonly privateKey: KeyLike;
  readonly publicKey: KeyLike;
  readonly jwk: JWK;
}

export async function keyPair(alg: 'RS256' | 'EdDSA' | 'ES256', kid?: string): Promise<KeyPair> {
  const { privateKey, publicKey } = await generateKeyPair(alg, { extractable: true });
  const jwk = await exportJWK(publicKey);
  return { privateKey, publicKey, jwk: kid === undefined ? jwk : { ...jwk, kid } };
}

/** The set as configuration text would give it. */
export function keySet(...pairs: readonly KeyPair[]): { keys: Array<Record<string, unknown> & { kty: string }> } {
  return { keys: pairs.map(({ jwk }) => ({ ...jwk, kty: jwk.kty ?? '' })) };
}
