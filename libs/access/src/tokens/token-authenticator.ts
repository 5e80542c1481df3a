import { LRUCache } from 'lru-cache';
import { isFresh, KNOWN_FOR_MS, type Clock } from '../clock';
import type { SandboxPrincipal } from '../principal';
import { TOKEN_LEEWAY_SECONDS } from './token-claims';
import type { TokenVerifier } from './token-verifier';

export interface TokenAuthenticatorOptions {
  /** Most tokens remembered as verified. */
  readonly maxEntries: number;
  /** Most characters of tokens remembered, all together. */
  readonly maxChars: number;
  /** A token is verified anew after this time, so that a key that was withdrawn stops being believed. */
  readonly maxAgeMs: number;
  readonly clock: Clock;
}

interface Verified {
  readonly principal: SandboxPrincipal;
  readonly verifiedAt: number;
}

/** Verifies each access token once and remembers the good ones until they end. */
export class TokenAuthenticator {
  private readonly verified: LRUCache<string, Verified>;

  constructor(
    private readonly verifier: TokenVerifier,
    private readonly options: TokenAuthenticatorOptions,
  ) {
    this.verified = new LRUCache({
      max: options.maxEntries,
      maxSize: options.maxChars,
      sizeCalculation: (_, token) => token.length,
    });
  }

  /** The principal if the token was verified lately; undefined says nothing but that `authenticate` has to be asked. */
  cached(token: string): SandboxPrincipal | undefined {
    const hit = this.verified.get(token);
    if (hit === undefined) return undefined;
    const now = this.options.clock();
    if (
      now < hit.principal.expiresAt + TOKEN_LEEWAY_SECONDS * 1000 &&
      isFresh(hit.verifiedAt, now, this.options.maxAgeMs)
    ) {
      return hit.principal;
    }
    return undefined;
  }

  /** Whether the token was verified within `KNOWN_FOR_MS` beyond the age at which it is verified anew. */
  isKnown(token: string): boolean {
    const hit = this.verified.peek(token);
    return hit !== undefined && isFresh(hit.verifiedAt, this.options.clock(), this.options.maxAgeMs + KNOWN_FOR_MS);
  }

  /** Throws as `TokenVerifier.verify` does. */
  async authenticate(token: string): Promise<SandboxPrincipal> {
    const hit = this.cached(token);
    if (hit !== undefined) return hit;
    const verifiedAt = this.options.clock();
    const principal = await this.verifier.verify(token);
    this.verified.set(token, { principal, verifiedAt });
    return principal;
  }
}
