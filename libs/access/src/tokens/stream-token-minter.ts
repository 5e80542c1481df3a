import { SluiceError } from '@sluice/event-log';
import { workspaceIdSchema } from '@sluice/event-schema';
import { SignJWT } from 'jose';
import { z } from 'zod';
import type { TokenConfig } from '../access-config';
import { authorise } from '../authorise';
import type { Clock } from '../clock';
import { credentialsExpired, invalidRequest } from '../errors';
import type { ApiKeyPrincipal, Principal } from '../principal';
import { streamScopeSchema } from './stream-scope';
import { MAX_STREAM_TOKEN_CHARS, STREAM_TOKEN_TYPE } from './stream-token-claims';
import type { MintedToken } from './token-minter';
import { tokenSecrets } from './token-secrets';

export const DEFAULT_STREAM_TOKEN_TTL_SECONDS = 600;

export const MAX_STREAM_TOKEN_TTL_SECONDS = 3600;

/** The body that asks for a stream token. */
export const mintStreamTokenRequestSchema = z.strictObject({
  /** Of which workspace; an operator has to say, for all others it is their own. */
  workspaceId: workspaceIdSchema.optional(),
  /** What may be seen with it. Empty: all that the key may see. */
  scope: streamScopeSchema.default({}),
  ttlSeconds: z.int().min(1).max(MAX_STREAM_TOKEN_TTL_SECONDS).default(DEFAULT_STREAM_TOKEN_TTL_SECONDS),
});

export type MintStreamTokenRequest = z.input<typeof mintStreamTokenRequestSchema>;

/**
 * A new stream token, signed with the first configured secret. It ends no later than the key that it is made with.
 *
 * @throws SluiceError `invalid_request` for faulty input, a scope that is too long, and an operator that names no
 *   workspace; `forbidden` for anyone but the holder of an API key; `unauthorized` for a foreign workspace;
 *   `configuration` when there is no secret
 */
export async function mintStreamToken(
  config: TokenConfig,
  principal: Principal,
  request: MintStreamTokenRequest,
  clock: Clock,
): Promise<MintedToken> {
  if (principal.kind !== 'api_key') throw new SluiceError('forbidden', 'Stream tokens are made with API keys only');
  const parsed = mintStreamTokenRequestSchema.safeParse(request);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const workspaceId = workspaceOf(principal, parsed.data.workspaceId);
  authorise(principal, 'stream', { workspaceId });
  const [secret] = tokenSecrets(config.secrets);
  if (secret === undefined) {
    throw new SluiceError('configuration', 'No token secret is configured, so stream tokens cannot be made');
  }
  const { scope, ttlSeconds } = parsed.data;
  const issuedAt = Math.floor(clock() / 1000);
  const keyEnd = Math.floor((principal.expiresAt ?? Infinity) / 1000);
  const expiresAt = Math.min(issuedAt + ttlSeconds, keyEnd);
  if (expiresAt <= issuedAt) throw credentialsExpired();
  const token = new SignJWT({ keyId: principal.keyId, workspaceId, scope })
    .setProtectedHeader({
      alg: 'HS256',
      typ: STREAM_TOKEN_TYPE,
      ...(secret.kid === undefined ? {} : { kid: secret.kid }),
    })
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .setJti(crypto.randomUUID());
  if (config.issuer !== undefined) token.setIssuer(config.issuer);
  if (config.audience !== undefined) token.setAudience(config.audience);
  const accessToken = await token.sign(secret.bytes);
  if (accessToken.length > MAX_STREAM_TOKEN_CHARS) {
    const message = `the token would have more than ${MAX_STREAM_TOKEN_CHARS} characters: name less`;
    throw new SluiceError('invalid_request', `scope: ${message}`, { where: 'scope' });
  }
  return { accessToken, expiresAt: expiresAt * 1000 };
}

function workspaceOf({ workspaceId }: ApiKeyPrincipal, named: number | undefined): number {
  const one = named ?? workspaceId;
  if (one !== null) return one;
  throw new SluiceError('invalid_request', 'workspaceId: is required with these credentials', { where: 'workspaceId' });
}
