import type { AccessConfig } from './access-config';
import { ApiKeyAuthenticator } from './api-keys/api-key-authenticator';
import type { ApiKeyStore } from './api-keys/api-key-store';
import { API_KEY_PREFIX } from './api-keys/api-key-text';
import { operatorRecords } from './api-keys/operator-keys';
import { wallClock, type Clock } from './clock';
import type { Credentials } from './credentials';
import { missingCredentials } from './errors';
import type { ApiKeyPrincipal, Principal, SandboxPrincipal } from './principal';
import { TokenAuthenticator } from './tokens/token-authenticator';
import { mintToken, type MintedToken, type MintRequest } from './tokens/token-minter';
import { TokenVerifier } from './tokens/token-verifier';

export interface AccessControlOptions {
  /** Wall-clock time, for expiry and the age of what is cached. */
  readonly clock?: Clock;
}

/** Makes an `AccessControl`; asynchronous because configured operator keys are hashed first. It never asks the store. */
export async function createAccessControl(
  config: AccessConfig,
  store: ApiKeyStore,
  options: AccessControlOptions = {},
): Promise<AccessControl> {
  const clock = options.clock ?? wallClock;
  const operators = await operatorRecords(config.operatorKeys);
  return new AccessControl(
    config,
    new ApiKeyAuthenticator(store, { ...config.apiKeyCache, clock, operators }),
    new TokenAuthenticator(new TokenVerifier(config.tokens, clock), { ...config.tokenCache, clock }),
    clock,
  );
}

/**
 * Tells who is calling. Every method that authenticates throws SluiceError:
 * - `unauthorized` when nothing was presented, or with one fixed text for everything that does not fit;
 * - `token_expired` for an authentic token that is over;
 * - `read_model_unavailable` when the store or the key set does not answer, `overloaded` when too many are asking: never
 *   a 401 for a credential that may be good.
 */
export class AccessControl {
  constructor(
    private readonly config: AccessConfig,
    private readonly apiKeys: ApiKeyAuthenticator,
    private readonly tokens: TokenAuthenticator,
    private readonly clock: Clock,
  ) {}

  /**
   * The principal, if the credential was accepted lately. Synchronous and cheap: try it first on a hot path, and
   * `authenticate` when it gives undefined. It never throws.
   */
  authenticateCached(credentials: Credentials): Principal | undefined {
    const presented = present(credentials);
    if (presented === undefined) return undefined;
    return presented.kind === 'api_key' ? this.apiKeys.cached(presented.text) : this.tokens.cached(presented.text);
  }

  /** With both credentials the API key decides, and has to be valid; the bearer is not looked at then. */
  async authenticate(credentials: Credentials): Promise<Principal> {
    const presented = present(credentials);
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

  /** Makes this process notice a revocation at once; the others do within `apiKeyCache.ttlMs`. */
  forgetApiKey(keyId: string): void {
    this.apiKeys.forget(keyId);
  }
}

function present({ apiKey, bearer }: Credentials): { kind: 'api_key' | 'token'; text: string } | undefined {
  if (apiKey !== undefined && apiKey !== '') return { kind: 'api_key', text: apiKey };
  if (bearer === undefined || bearer === '') return undefined;
  return { kind: bearer.startsWith(API_KEY_PREFIX) ? 'api_key' : 'token', text: bearer };
}
