import { SluiceError } from '@sluice/event-log';
import { decodeProtectedHeader, errors } from 'jose';
import type { z } from 'zod';
import type { TokenConfig } from '../access-config';
import type { Clock } from '../clock';
import { badCredentials, tokenExpired } from '../errors';
import { SECRET_ALGORITHM, verifyBySecrets } from './secret-signature';
import { MAX_STREAM_TOKEN_CHARS, STREAM_TOKEN_TYPE, streamTokenClaimsSchema, typeOf } from './stream-token-claims';
import { looksLikeToken, TOKEN_LEEWAY_SECONDS } from './token-claims';
import { tokenSecrets, type TokenSecret } from './token-secrets';

export type StreamTokenClaims = z.infer<typeof streamTokenClaimsSchema>;

/** Verifies stream tokens. They are signed by the configured secrets only, never by keys of a key set. */
export class StreamTokenVerifier {
  private readonly secrets: readonly TokenSecret[];

  constructor(
    private readonly config: TokenConfig,
    private readonly clock: Clock,
  ) {
    this.secrets = tokenSecrets(config.secrets);
  }

  /** Throws `token_expired` for an authentic token that is over, `unauthorized` for any other that does not fit. */
  async verify(token: string): Promise<StreamTokenClaims> {
    if (token.length > MAX_STREAM_TOKEN_CHARS || !looksLikeToken(token)) throw badCredentials();
    try {
      const { alg, kid } = decodeProtectedHeader(token);
      if (alg !== SECRET_ALGORITHM || typeOf(token) !== STREAM_TOKEN_TYPE) throw badCredentials();
      const payload = await verifyBySecrets(token, kid, this.secrets, {
        clockTolerance: TOKEN_LEEWAY_SECONDS,
        currentDate: new Date(this.clock()),
        requiredClaims: ['keyId', 'workspaceId', 'scope', 'exp', 'jti'],
        issuer: this.config.issuer,
        audience: this.config.audience,
      });
      return streamTokenClaimsSchema.parse(payload);
    } catch (error) {
      if (error instanceof SluiceError) throw error;
      if (error instanceof errors.JWTExpired) throw tokenExpired(error);
      throw badCredentials(error);
    }
  }
}
