import { SluiceError } from '@sluice/event-log';
import { entityIdSchema, workspaceIdSchema } from '@sluice/event-schema';
import { SignJWT } from 'jose';
import { z } from 'zod';
import type { TokenConfig } from '../access-config';
import type { Clock } from '../clock';
import { invalidRequest } from '../errors';
import { tokenSecrets } from './token-secrets';

export const DEFAULT_TOKEN_TTL_SECONDS = 3600;

/** Thirty days. */
export const MAX_TOKEN_TTL_SECONDS = 30 * 24 * 3600;

export const mintRequestSchema = z.strictObject({
  workspaceId: workspaceIdSchema,
  sandboxId: entityIdSchema,
  ttlSeconds: z.int().min(1).max(MAX_TOKEN_TTL_SECONDS).default(DEFAULT_TOKEN_TTL_SECONDS),
});

export type MintRequest = z.input<typeof mintRequestSchema>;

export interface MintedToken {
  readonly accessToken: string;
  /** In milliseconds since 1970. */
  readonly expiresAt: number;
}

/**
 * A new access token for one sandbox, signed with the first configured secret.
 * Throws `invalid_request` for faulty input and `configuration` when there is no secret.
 */
export async function mintToken(config: TokenConfig, request: MintRequest, clock: Clock): Promise<MintedToken> {
  const parsed = mintRequestSchema.safeParse(request);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const [secret] = tokenSecrets(config.secrets);
  if (secret === undefined) {
    throw new SluiceError('configuration', 'No token secret is configured, so access tokens cannot be made');
  }
  const { workspaceId, sandboxId, ttlSeconds } = parsed.data;
  const issuedAt = Math.floor(clock() / 1000);
  const expiresAt = issuedAt + ttlSeconds;
  const token = new SignJWT({ sandboxId, workspaceId })
    .setProtectedHeader({ alg: 'HS256', typ: 'JWT', ...(secret.kid === undefined ? {} : { kid: secret.kid }) })
    .setIssuedAt(issuedAt)
    .setExpirationTime(expiresAt)
    .setJti(crypto.randomUUID());
  if (config.issuer !== undefined) token.setIssuer(config.issuer);
  if (config.audience !== undefined) token.setAudience(config.audience);
  return { accessToken: await token.sign(secret.bytes), expiresAt: expiresAt * 1000 };
}
