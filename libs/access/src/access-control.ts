import type { SluiceError } from '@sluice/event-log';
import type { AccessConfig } from './access-config';
import { ApiKeyAuthenticator } from './api-keys/api-key-authenticator';
import type { ApiKeyStore } from './api-keys/api-key-store';
import { operatorRecords } from './api-keys/operator-keys';
import { MIN_CHECK_INTERVAL_MS, RevocationWatch, type KeyCheck } from './api-keys/revocation-watch';
import { wallClock, type Clock } from './clock';
import { presentedCredential, type Credentials } from './credentials';
import { credentialsExpired, keyRevoked, missingCredentials } from './errors';
import type { ApiKeyPrincipal, Principal, SandboxPrincipal } from './principal';
import { TokenAuthenticator } from './tokens/token-authenticator';
import { mintToken, type MintedToken, type MintRequest } from './tokens/token-minter';
import { TokenVerifier } from './tokens/token-verifier';
import { whenExpired } from './when-expired';

export interface AccessControlOptions {
  /** Wall-clock time, for expiry and the age of what is cached. */
  readonly clock?: Clock;
  /** Told of each look for revocations among the keys that have something open. */
  onKeyCheck?(check: KeyCheck): void;
}

/** A watch over the credential that opened something. */
export interface CredentialWatch {
  /** Stops watching. May be called at any time, any number of times. */
  cancel(): void;
}

/** Makes an `AccessControl`; asynchronous because configured operator keys are hashed first. It never asks the store. */
export async function createAccessControl(
  config: AccessConfig,
  store: ApiKeyStore,
  options: AccessControlOptions = {},
): Promise<AccessControl> {
  const clock = options.clock ?? wallClock;
  const operators = await operatorRecords(config.operatorKeys);
  const { ttlMs, lookupTimeoutMs } = config.apiKeyCache;
  const apiKeys = new ApiKeyAuthenticator(store, { ...config.apiKeyCache, clock, operators });
  const revocations = new RevocationWatch(store, {
    intervalMs: Math.max(ttlMs, MIN_CHECK_INTERVAL_MS),
    lookupTimeoutMs,
    clock,
    onRevoked: (keyId) => apiKeys.forget(keyId),
    onCheck: (check) => options.onKeyCheck?.(check),
  });
  const tokens = new TokenAuthenticator(new TokenVerifier(config.tokens, clock), { ...config.tokenCache, clock });
  return new AccessControl(config, apiKeys, tokens, revocations, clock);
}

/**
 * Tells who is calling. Every method that authenticates throws SluiceError:
 * - `unauthorized` when nothing was presented, or with one fixed text for everything that does not fit;
 * - `token_expired` for an authentic token that is over;
 * - `read_model_unavailable` when the store of keys does not answer, `key_set_unavailable` when the key set of tokens
 *   does not, `overloaded` when too many are asking: never a 401 for a credential that may be good.
 */
export class AccessControl {
  constructor(
    private readonly config: AccessConfig,
    private readonly apiKeys: ApiKeyAuthenticator,
    private readonly tokens: TokenAuthenticator,
    private readonly revocations: RevocationWatch,
    private readonly clock: Clock,
  ) {}

  /**
   * The principal, if the credential was accepted lately. Synchronous and cheap: try it first on a hot path, and
   * `authenticate` when it gives undefined. It never throws.
   */
  authenticateCached(credentials: Credentials): Principal | undefined {
    const presented = presentedCredential(credentials);
    if (presented === undefined) return undefined;
    return presented.kind === 'api_key' ? this.apiKeys.cached(presented.text) : this.tokens.cached(presented.text);
  }

  /**
   * Whether the credential was accepted within the last `KNOWN_FOR_MS`, also when its answer is too old to be believed:
   * then it still has to be authenticated, but whoever shows it is not guessing. It never throws.
   */
  isKnown(credentials: Credentials): boolean {
    const presented = presentedCredential(credentials);
    if (presented === undefined) return false;
    return presented.kind === 'api_key' ? this.apiKeys.isKnown(presented.text) : this.tokens.isKnown(presented.text);
  }

  /** With both credentials the API key decides, and has to be valid; the bearer is not looked at then. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const presented = presentedCredential(credentials);
    if (presented === undefined) throw missingCredentials();
    return presented.kind === 'api_key'
      ? this.authenticateApiKey(presented.text)
      : this.authenticateToken(presented.text);
  }

  async authenticateApiKey(text: string): Promise<ApiKeyPrincipal> {
    return this.apiKeys.authenticate(text);
  }

  async authenticateToken(text: string): Promise<SandboxPrincipal> {
    return this.tokens.authenticate(text);
  }

  /**
   * A new access token for a sandbox. Throws `invalid_request` for faulty input and `configuration` when no secret is
   * configured. Who may ask for one is to be authorised before (`administer`).
   */
  async mintAccessToken(request: MintRequest): Promise<MintedToken> {
    return mintToken(this.config.tokens, request, this.clock);
  }

  /**
   * Makes this process notice a revocation at once, also for what the key has opened (see `watch`); the others do within
   * `apiKeyCache.ttlMs`.
   */
  forgetApiKey(keyId: string): void {
    this.apiKeys.forget(keyId);
    void this.revocations.checkNow(keyId);
  }

  /**
   * Watches over the credential that opened a stream or a connection. Calls back once, never before this call has
   * returned, when it is no longer accepted; what it opened has to be closed then. The error says why: `token_expired`
   * (also for a key with an end), or `unauthorized` for a key that was revoked. A revocation is noticed within
   * `apiKeyCache.ttlMs`, at least 1 s, and the time that the store takes to answer; while the store does not answer,
   * everything stays open. The callback must not throw. It keeps no process alive.
   */
  watch(principal: Principal, onEnded: (reason: SluiceError) => void): CredentialWatch {
    const end = (reason: SluiceError) => {
      cancel();
      onEnded(reason);
    };
    const expiry = whenExpired(principal, () => end(credentialsExpired()), { clock: this.clock });
    // An operator's key lives as long as the process that was configured with it.
    const isRevocable = principal.kind === 'api_key' && principal.role !== 'operator';
    const unwatch = isRevocable ? this.revocations.add(principal.keyId, () => end(keyRevoked())) : undefined;
    const cancel = () => {
      expiry.cancel();
      unwatch?.();
    };
    return { cancel };
  }

  /** How many different API keys have something open that is watched. */
  get watchedKeys(): number {
    return this.revocations.size;
  }
}
