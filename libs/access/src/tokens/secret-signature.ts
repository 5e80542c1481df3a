import { errors, jwtVerify, type JWTPayload, type JWTVerifyOptions } from 'jose';
import { badCredentials } from '../errors';
import type { TokenSecret } from './token-secrets';

/** The one algorithm that configured secrets verify. */
export const SECRET_ALGORITHM = 'HS256';

/**
 * The claims of a token signed with one of the secrets. A token that names its key is verified by that one alone,
 * another by each secret in turn. Throws `unauthorized`, or what jose says of the claims.
 */
export async function verifyBySecrets(
  token: string,
  kid: string | undefined,
  secrets: readonly TokenSecret[],
  options: JWTVerifyOptions,
): Promise<JWTPayload> {
  for (const secret of secrets) {
    if (kid !== undefined && kid !== secret.kid) continue;
    try {
      return (await jwtVerify(token, secret.bytes, { ...options, algorithms: [SECRET_ALGORITHM] })).payload;
    } catch (error) {
      if (!(error instanceof errors.JWSSignatureVerificationFailed)) throw error;
    }
  }
  throw badCredentials();
}
