import { API_KEY_PREFIX } from './api-keys/api-key-text';

/** What a caller presented. Undefined and empty mean that it was not sent. */
export interface Credentials {
  /** The value of `X-API-Key`. */
  readonly apiKey?: string | undefined;
  /** What follows `Bearer ` in `Authorization`: an access token, or an API key. */
  readonly bearer?: string | undefined;
  /**
   * A stream token, at a door that accepts one: `token` of the query, or a bearer of which `isStreamTokenText` says so.
   * In `bearer` a stream token is refused, so a door that does not know of them lets none in.
   */
  readonly streamToken?: string | undefined;
}

/** The one of them that decides. */
export interface PresentedCredential {
  readonly kind: 'api_key' | 'token' | 'stream_token';
  readonly text: string;
}

/**
 * The credential that decides: an API key before a bearer before a stream token. Undefined when nothing was sent.
 */
export function presentedCredential({ apiKey, bearer, streamToken }: Credentials): PresentedCredential | undefined {
  if (isSent(apiKey)) return { kind: 'api_key', text: apiKey };
  if (isSent(bearer)) return { kind: bearer.startsWith(API_KEY_PREFIX) ? 'api_key' : 'token', text: bearer };
  return isSent(streamToken) ? { kind: 'stream_token', text: streamToken } : undefined;
}

function isSent(text: string | undefined): text is string {
  return text !== undefined && text !== '';
}
