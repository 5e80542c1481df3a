import { entityIdSchema, MAX_TIMESTAMP_MS, safeNameSchema, workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';

/** How far clocks may be apart: a token is accepted this much after `exp` and this much before `nbf`. */
export const TOKEN_LEEWAY_SECONDS = 5;

/** Longest token that is looked at, in characters (a token is ASCII, so also in bytes). */
export const MAX_TOKEN_CHARS = 8 * 1024;

/** Three parts in base64url, none of them empty: a token without a signature does not fit. */
const COMPACT_JWS = /^[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+$/;

/** Cheap look at the outside, before anything is parsed. */
export function looksLikeToken(text: string): boolean {
  return text.length <= MAX_TOKEN_CHARS && COMPACT_JWS.test(text);
}

/** What a token has to say. Claims beyond these are allowed and not used. */
export const tokenClaimsSchema = z.object({
  sandboxId: entityIdSchema,
  workspaceId: workspaceIdSchema,
  /** In seconds since 1970. */
  exp: z
    .number()
    .positive()
    .max(MAX_TIMESTAMP_MS / 1000),
  jti: safeNameSchema.optional(),
});
