/** What a caller presented. Undefined and empty mean that it was not sent. */
export interface Credentials {
  /** The value of `X-API-Key`. */
  readonly apiKey?: string | undefined;
  /** What follows `Bearer ` in `Authorization`: an access token, or an API key. */
  readonly bearer?: string | undefined;
}

const BEARER = /^bearer +([^\s]+) *$/i;

/** Longest Authorization header that is looked at, in characters. A longer one passes whole and is refused as a token. */
const MAX_HEADER_CHARS = 9 * 1024;

/** The credentials in the headers of a request. A scheme other than Bearer counts as not sent. */
export function readCredentials(headers: {
  readonly 'x-api-key'?: string | string[] | undefined;
  readonly authorization?: string | undefined;
}): Credentials {
  const apiKey = headers['x-api-key'];
  return {
    // A header that was sent twice is ambiguous; joined it fits no key, so it is refused.
    apiKey: Array.isArray(apiKey) ? apiKey.join(', ') : apiKey,
    bearer: readBearer(headers.authorization),
  };
}

function readBearer(authorization: string | undefined): string | undefined {
  if (authorization === undefined) return undefined;
  if (authorization.length > MAX_HEADER_CHARS) return authorization;
  return BEARER.exec(authorization)?.[1];
}
