import { createLocalJWKSet, errors, type JWTVerifyGetKey } from 'jose';
import { isFresh, type Clock } from '../clock';
import { keySetUnavailable } from '../errors';
import { publicKeySet, type KeySet } from './key-set';
import { readBounded } from './read-bounded';

/** Largest key set that is read, in bytes. */
export const MAX_KEY_SET_BYTES = 256 * 1024;

/** After a fetch that failed, the next one waits this long; callers are answered at once meanwhile. */
export const KEY_SET_RETRY_DELAY_MS = 1000;

export interface RemoteKeySetOptions {
  readonly url: URL;
  /** For the whole answer, body included. */
  readonly timeoutMs: number;
  /** Shortest time between two fetches that unknown key ids cause. */
  readonly cooldownMs: number;
  /** After it the keys are fetched anew before they are used. */
  readonly cacheMaxAgeMs: number;
  /** How old keys may get while fetching fails. */
  readonly staleMaxAgeMs: number;
  readonly clock: Clock;
}

/**
 * Public keys from a JWKS address: kept, fetched anew when old or when a key id is unknown, one request at a time.
 * Unlike jose's own remote set it bounds time and size of the body too, and goes on with the known keys while the
 * address is down.
 */
export class RemoteKeySet {
  private keys: { readonly find: JWTVerifyGetKey; readonly fetchedAt: number } | undefined;
  private failure: { readonly at: number; readonly error: unknown } | undefined;
  private running: Promise<void> | undefined;

  constructor(private readonly options: RemoteKeySetOptions) {}

  /**
   * For `jwtVerify`. Rejects as jose does when no key fits, and with `key_set_unavailable` when that cannot be told.
   */
  readonly find: JWTVerifyGetKey = async (header, token) => {
    const find = await this.freshKeys();
    try {
      return await find(header, token);
    } catch (error) {
      if (!(error instanceof errors.JWKSNoMatchingKey) || this.isCoolingDown()) throw error;
      await this.refresh();
      return (this.keys?.find ?? find)(header, token);
    }
  };

  private async freshKeys(): Promise<JWTVerifyGetKey> {
    if (this.keys === undefined || !this.isYoungerThan(this.options.cacheMaxAgeMs)) {
      try {
        await this.refresh();
      } catch (error) {
        if (!this.isYoungerThan(this.options.staleMaxAgeMs)) throw error;
      }
    }
    if (this.keys === undefined) throw keySetUnavailable();
    return this.keys.find;
  }

  private isYoungerThan(maxAgeMs: number): boolean {
    return this.keys !== undefined && isFresh(this.keys.fetchedAt, this.options.clock(), maxAgeMs);
  }

  private isCoolingDown(): boolean {
    return this.isYoungerThan(this.options.cooldownMs);
  }

  private refresh(): Promise<void> {
    const { failure } = this;
    if (failure !== undefined && isFresh(failure.at, this.options.clock(), KEY_SET_RETRY_DELAY_MS)) {
      return Promise.reject(keySetUnavailable(failure.error));
    }
    this.running ??= this.fetchKeys().finally(() => {
      this.running = undefined;
    });
    return this.running;
  }

  private async fetchKeys(): Promise<void> {
    try {
      const keySet = await fetchKeySet(this.options.url, this.options.timeoutMs);
      this.keys = { find: createLocalJWKSet(keySet), fetchedAt: this.options.clock() };
      this.failure = undefined;
    } catch (error) {
      this.failure = { at: this.options.clock(), error };
      throw keySetUnavailable(error);
    }
  }
}

async function fetchKeySet(url: URL, timeoutMs: number): Promise<KeySet> {
  const response = await fetch(url, {
    headers: { accept: 'application/jwk-set+json, application/json' },
    redirect: 'error',
    signal: AbortSignal.timeout(timeoutMs),
  });
  if (response.status !== 200) {
    await response.body?.cancel();
    throw new Error(`the key set answered ${response.status}`);
  }
  return publicKeySet(JSON.parse(await readBounded(response, MAX_KEY_SET_BYTES)));
}
