import type { Credentials } from '@sluice/access';

/** Longer credentials than this are taken as absent. */
export const CREDENTIAL_MAX_LENGTH = 8_192;

type HeaderValues = Readonly<Record<string, string | readonly string[] | undefined>>;

// Printable ASCII without spaces: nothing that could break a log line or a comparison.
const TOKEN = /^[\x21-\x7e]+$/;
const BEARER = /^bearer +(\S+) *$/i;

/**
 * The credentials in a request, not verified yet: `X-API-Key`, and `Authorization: Bearer` with any case of the scheme.
 * A repeated, empty, over-long (8192) or non-printable one counts as absent, so it is answered like a missing one.
 */
export function readBearer(headers: HeaderValues): Credentials {
  const apiKey = bounded(single(headers['x-api-key'])?.trim());
  const bearer = bounded(BEARER.exec(limited(single(headers['authorization'])) ?? '')?.[1]);
  return { ...(apiKey !== undefined && { apiKey }), ...(bearer !== undefined && { bearer }) };
}

function single(value: string | readonly string[] | undefined): string | undefined {
  return typeof value === 'string' ? value : undefined;
}

function limited(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= CREDENTIAL_MAX_LENGTH + 'bearer '.length ? value : undefined;
}

function bounded(value: string | undefined): string | undefined {
  return value !== undefined && value.length <= CREDENTIAL_MAX_LENGTH && TOKEN.test(value) ? value : undefined;
}
