import type { SluiceError } from '@sluice/event-log';
import type { AccessConfig } from './access-config';
import { ApiKeyAuthenticator } from './api-keys/api-key-authenticator';
import { KeyDirectory } from './api-keys/key-directory';
import type { ApiKeyRecord } from './api-keys/api-key-record';
import type { ApiKeyStore } from './api-keys/api-key-store';
import { operatorRecords } from './api-keys/operator-keys';
import { MIN_CHECK_INTERVAL_MS, RevocationWatch, type KeyCheck } from './api-keys/revocation-watch';
import { wallClock, type Clock } from './clock';
import { presentedCredential, type Credentials, type PresentedCredential } from './credentials';
import { credentialsExpired, keyRevoked, missingCredentials } from './errors';
import type { ApiKeyPrincipal, Principal, SandboxPrincipal, StreamPrincipal } from './principal';
import { StreamTokenAuthenticator } from './tokens/stream-token-authenticator';
import { mintStreamToken, type MintStreamTokenRequest } from './tokens/stream-token-minter';
import { StreamTokenVerifier } from './tokens/stream-token-verifier';
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
  const directory = new KeyDirectory(store, { ...config.apiKeyCache, clock, operators });
  const revocations = new RevocationWatch(store, {
    intervalMs: Math.max(ttlMs, MIN_CHECK_INTERVAL_MS),
    lookupTimeoutMs,
    clock,
    onRevoked: (keyId) => {
      apiKeys.forget(keyId);
      directory.forget(keyId);
    },
    onCheck: (check) => options.onKeyCheck?.(check),
  });
  const tokens = new TokenAuthenticator(new TokenVerifier(config.tokens, clock), { ...config.tokenCache, clock });
  const streamVerifier = new StreamTokenVerifier(config.tokens, clock);
  const streamTokens = new StreamTokenAuthenticator(streamVerifier, directory, { ...config.tokenCache, clock });
  return new AccessControl({ config, apiKeys, directory, tokens, streamTokens, operators, revocations, clock });
}

/** What an `AccessControl` is made of. */
interface AccessControlParts {
  readonly config: AccessConfig;
  readonly apiKeys: ApiKeyAuthenticator;
  readonly directory: KeyDirectory;
  readonly tokens: TokenAuthenticator;
  readonly streamTokens: StreamTokenAuthenticator;
  readonly operators: ReadonlyMap<string, ApiKeyRecord>;
  readonly revocations: RevocationWatch;
  readonly clock: Clock;
}

/**
 * Tells who is calling. Every method that authenticates throws SluiceError:
 * - `unauthorized` when nothing was presented, or with one fixed text for everything that does not fit;
 * - `token_expired` for an authentic token that is over;
 * - `read_model_unavailable` when the store of keys does not answer, `key_set_unavailable` when the key set of tokens
 *   does not, `overloaded` when too many are asking: never a 401 for a credential that may be good.
 */
export class AccessControl {
  private readonly operatorKeyIds: ReadonlySet<string>;

  constructor(private readonly parts: AccessControlParts) {
    this.operatorKeyIds = new Set([...parts.operators.values()].map(({ keyId }) => keyId));
  }

  /**
   * The principal, if the credential was accepted lately. Synchronous and cheap: try it first on a hot path, and
   * `authenticate` when it gives undefined. It never throws.
   */
  authenticateCached(credentials: Credentials): Principal | undefined {
    const presented = presentedCredential(credentials);
    return presented && this.cacheOf(presented).cached(presented.text);
  }

  /**
   * Whether the credential was accepted within the last `KNOWN_FOR_MS`, also when its answer is too old to be believed:
   * then it still has to be authenticated, but whoever shows it is not guessing. It never throws.
   */
  isKnown(credentials: Credentials): boolean {
    const presented = presentedCredential(credentials);
    return presented !== undefined && this.cacheOf(presented).isKnown(presented.text);
  }

  /** With several credentials one decides, see `Credentials`, and has to be valid; the others are not looked at then. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const presented = presentedCredential(credentials);
    if (presented === undefined) throw missingCredentials();
    return this.cacheOf(presented).authenticate(presented.text);
  }

  async authenticateApiKey(text: string): Promise<ApiKeyPrincipal> {
    return this.parts.apiKeys.authenticate(text);
  }

  async authenticateToken(text: string): Promise<SandboxPrincipal> {
    return this.parts.tokens.authenticate(text);
  }

  /** The bearer of a stream token. A token whose key was revoked is refused within `apiKeyCache.ttlMs`. */
  async authenticateStreamToken(text: string): Promise<StreamPrincipal> {
    return this.parts.streamTokens.authenticate(text);
  }

  /**
   * A new access token for a sandbox. Throws `invalid_request` for faulty input and `configuration` when no secret is
   * configured. Who may ask for one is to be authorised before (`administer`).
   */
  async mintAccessToken(request: MintRequest): Promise<MintedToken> {
    return mintToken(this.parts.config.tokens, request, this.parts.clock);
  }

  /**
   * A new stream token of the holder of an API key, for what it may see itself or less. It ends no later than the key.
   * Throws `invalid_request` for faulty input, `forbidden` for anyone but the holder of a key, `unauthorized` for a
   * foreign workspace, and `configuration` when no secret is configured.
   */
  async mintStreamToken(principal: Principal, request: MintStreamTokenRequest): Promise<MintedToken> {
    return mintStreamToken(this.parts.config.tokens, principal, request, this.parts.clock);
  }

  /**
   * Makes this process notice a revocation at once, also for what the key has opened (see `watch`); the others do within
   * `apiKeyCache.ttlMs`.
   */
  forgetApiKey(keyId: string): void {
    this.parts.apiKeys.forget(keyId);
    this.parts.directory.forget(keyId);
    void this.parts.revocations.checkNow(keyId);
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
    const expiry = whenExpired(principal, () => end(credentialsExpired()), { clock: this.parts.clock });
    const keyId = this.revocableKeyOf(principal);
    const unwatch = keyId === undefined ? undefined : this.parts.revocations.add(keyId, () => end(keyRevoked()));
    const cancel = () => {
      expiry.cancel();
      unwatch?.();
    };
    return { cancel };
  }

  /** How many different API keys have something open that is watched. */
  get watchedKeys(): number {
    return this.parts.revocations.size;
  }

  private revocableKeyOf(principal: Principal): string | undefined {
    if (principal.kind !== 'api_key' && principal.kind !== 'stream') return undefined;
    // An operator's key lives as long as the process that was configured with it.
    return this.operatorKeyIds.has(principal.keyId) ? undefined : principal.keyId;
  }

  private cacheOf({ kind }: PresentedCredential) {
    switch (kind) {
      case 'api_key':
        return this.parts.apiKeys;
      case 'token':
        return this.parts.tokens;
      case 'stream_token':
        return this.parts.streamTokens;
    }
  }
}
