import { SluiceError } from '@sluice/event-log';
import {
  createLocalJWKSet,
  decodeProtectedHeader,
  errors,
  jwtVerify,
  type JWTPayload,
  type JWTVerifyGetKey,
} from 'jose';
import type { TokenConfig } from '../access-config';
import type { Clock } from '../clock';
import { badCredentials, tokenExpired } from '../errors';
import type { SandboxPrincipal } from '../principal';
import { publicKeySet } from './key-set';
import { RemoteKeySet } from './remote-key-set';
import { SECRET_ALGORITHM, verifyBySecrets } from './secret-signature';
import { STREAM_TOKEN_TYPE, typeOf } from './stream-token-claims';
import { looksLikeToken, TOKEN_LEEWAY_SECONDS, tokenClaimsSchema } from './token-claims';
import { tokenSecrets, type TokenSecret } from './token-secrets';

/** The algorithms that keys of the key set verify. */
const KEY_SET_ALGORITHMS = ['EdDSA', 'RS256'];

/** Most keys of the set that are tried for a token that does not name its key. */
const MAX_KEYS_TRIED = 8;

/** Verifies access tokens. The algorithm is pinned by the source of the key, never chosen by the token. */
export class TokenVerifier {
  private readonly secrets: readonly TokenSecret[];
  private readonly findKey: JWTVerifyGetKey | undefined;

  constructor(
    private readonly config: TokenConfig,
    private readonly clock: Clock,
  ) {
    this.secrets = tokenSecrets(config.secrets);
    this.findKey = keySource(config, clock);
  }

  /**
   * Throws `token_expired` for an authentic token that is over, `unauthorized` for any other that does not fit, and
   * `key_set_unavailable` when the key set cannot be fetched.
   */
  async verify(token: string): Promise<SandboxPrincipal> {
    if (!looksLikeToken(token)) throw badCredentials();
    try {
      return toPrincipal(await this.verifySignature(token));
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      if (error instanceof errors.JWTExpired) throw tokenExpired(error);
      throw badCredentials(error);
    }
  }

  private async verifySignature(token: string): Promise<JWTPayload> {
    const { alg, kid } = decodeProtectedHeader(token);
    if (typeOf(token) === STREAM_TOKEN_TYPE) throw badCredentials();
    if (alg === SECRET_ALGORITHM) return verifyBySecrets(token, kid, this.secrets, this.options([SECRET_ALGORITHM]));
    if (alg !== undefined && KEY_SET_ALGORITHMS.includes(alg)) return this.verifyWithKeySet(token);
    throw badCredentials();
  }

  private async verifyWithKeySet(token: string): Promise<JWTPayload> {
    if (this.findKey === undefined) throw badCredentials();
    const options = this.options(KEY_SET_ALGORITHMS);
    try {
      return (await jwtVerify(token, this.findKey, options)).payload;
    } catch (error) {
      if (!(error instanceof errors.JWKSMultipleMatchingKeys)) throw error;
      let tried = 0;
      for await (const key of error) {
        if (++tried > MAX_KEYS_TRIED) break;
        try {
          return (await jwtVerify(token, key, options)).payload;
        } catch (failure) {
          if (!(failure instanceof errors.JWSSignatureVerificationFailed)) throw failure;
        }
      }
      throw badCredentials(error);
    }
  }

  private options(algorithms: string[]) {
    return {
      algorithms,
      clockTolerance: TOKEN_LEEWAY_SECONDS,
      currentDate: new Date(this.clock()),
      requiredClaims: ['sandboxId', 'workspaceId', 'exp'],
      issuer: this.config.issuer,
      audience: this.config.audience,
    };
  }
}

function keySource({ jwks }: TokenConfig, clock: Clock): JWTVerifyGetKey | undefined {
  if (jwks === undefined) return undefined;
  if ('keys' in jwks) return createLocalJWKSet(publicKeySet(jwks));
  return new RemoteKeySet({ ...jwks, url: new URL(jwks.url), clock }).find;
}

function toPrincipal(payload: JWTPayload): SandboxPrincipal {
  const { sandboxId, workspaceId, exp, jti } = tokenClaimsSchema.parse(payload);
  return Object.freeze({
    kind: 'sandbox',
    sandboxId,
    workspaceId,
    expiresAt: Math.floor(exp * 1000),
    ...(jti === undefined ? {} : { tokenId: jti }),
  });
}
