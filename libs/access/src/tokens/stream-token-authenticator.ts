import { LRUCache } from 'lru-cache';
import type { KeyDirectory } from '../api-keys/key-directory';
import { isFresh, KNOWN_FOR_MS, type Clock } from '../clock';
import { badCredentials } from '../errors';
import type { ApiKeyPrincipal, StreamPrincipal } from '../principal';
import type { StreamTokenClaims, StreamTokenVerifier } from './stream-token-verifier';
import { TOKEN_LEEWAY_SECONDS } from './token-claims';

export interface StreamTokenAuthenticatorOptions {
  /** Most tokens remembered as verified. */
  readonly maxEntries: number;
  /** Most characters of tokens remembered, all together. */
  readonly maxChars: number;
  /** A token is verified anew after this time, so that a secret that was withdrawn stops being believed. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

interface Verified {
  readonly claims: StreamTokenClaims;
  readonly verifiedAt: number;
}

/**
 * Verifies each stream token once and remembers the good ones until they end. Whether the key behind it is still in
 * force is asked each time, of a directory that remembers the answer for a short while.
 */
export class StreamTokenAuthenticator {
  private readonly verified: LRUCache<string, Verified>;

  constructor(
    private readonly verifier: StreamTokenVerifier,
    private readonly keys: KeyDirectory,
    private readonly options: StreamTokenAuthenticatorOptions,
  ) {
    this.verified = new LRUCache({
      max: options.maxEntries,
      maxSize: options.maxChars,
      sizeCalculation: (_, token) => token.length,
    });
  }

  /**
   * The principal if token and key were found good lately; undefined says nothing but that `authenticate` has to be
   * asked.
   */
  cached(token: string): StreamPrincipal | undefined {
    const claims = this.cachedClaims(token);
    const key = claims && this.keys.cached(claims.keyId);
    return claims && key && mayUse(key, claims) ? toPrincipal(claims, key) : undefined;
  }

  /** Whether the token was verified within `KNOWN_FOR_MS` beyond the age at which it is verified anew. */
  isKnown(token: string): boolean {
    const hit = this.verified.peek(token);
    return hit !== undefined && isFresh(hit.verifiedAt, this.options.clock(), this.options.maxAgeMs + KNOWN_FOR_MS);
  }

  /** Throws as `StreamTokenVerifier.verify` and `KeyDirectory.find` do. */
  async authenticate(token: string): Promise<StreamPrincipal> {
    const claims = this.cachedClaims(token) ?? (await this.verify(token));
    const key = await this.keys.find(claims.keyId);
    if (!mayUse(key, claims)) throw badCredentials();
    return toPrincipal(claims, key);
  }

  private async verify(token: string): Promise<StreamTokenClaims> {
    const verifiedAt = this.options.clock();
    const claims = await this.verifier.verify(token);
    this.verified.set(token, { claims, verifiedAt });
    return claims;
  }

  private cachedClaims(token: string): StreamTokenClaims | undefined {
    const hit = this.verified.get(token);
    if (hit === undefined) return undefined;
    const now = this.options.clock();
    const isOver = now >= (hit.claims.exp + TOKEN_LEEWAY_SECONDS) * 1000;
    return !isOver && isFresh(hit.verifiedAt, now, this.options.maxAgeMs) ? hit.claims : undefined;
  }
}

/** The key must be of the workspace that the token is for; an operator's is of none. */
function mayUse({ workspaceId }: ApiKeyPrincipal, claims: StreamTokenClaims): boolean {
  return workspaceId === null || workspaceId === claims.workspaceId;
}

function toPrincipal(
  { keyId, workspaceId, scope, exp }: StreamTokenClaims,
  { limits }: ApiKeyPrincipal,
): StreamPrincipal {
  return Object.freeze({ kind: 'stream', keyId, workspaceId, scope, expiresAt: Math.floor(exp * 1000), limits });
}
