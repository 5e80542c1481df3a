import { MAX_TIMESTAMP_MS, safeNameSchema, workspaceIdSchema } from '@sluice/event-schema';
import { decodeProtectedHeader } from 'jose';
import { z } from 'zod';
import { looksLikeToken } from './token-claims';
import { streamScopeSchema } from './stream-scope';

/** The `typ` of stream tokens. No other token has it, so neither kind passes for the other. */
export const STREAM_TOKEN_TYPE = 'sluice-stream+jwt';

/** Longest stream token, in characters: it has to fit into the address of a request, at every proxy on the way. */
export const MAX_STREAM_TOKEN_CHARS = 4 * 1024;

/** What a stream token has to say. */
export const streamTokenClaimsSchema = z.object({
  keyId: z.uuid(),
  workspaceId: workspaceIdSchema,
  scope: streamScopeSchema,
  /** In seconds since 1970. */
  exp: z
    .number()
    .positive()
    .max(MAX_TIMESTAMP_MS / 1000),
  jti: safeNameSchema,
});

/** Whether a bearer says of itself that it is a stream token. It says nothing about whether it is a good one. */
export function isStreamTokenText(text: string): boolean {
  return looksLikeToken(text) && typeOf(text) === STREAM_TOKEN_TYPE;
}

/**
 * The `typ` in a token's header, in lower case and without `application/`; undefined where there is none to be read.
 */
export function typeOf(token: string): string | undefined {
  try {
    const { typ } = decodeProtectedHeader(token);
    return typeof typ === 'string' ? typ.toLowerCase().replace(/^application\//, '') : undefined;
  } catch {
    return undefined;
  }
}
