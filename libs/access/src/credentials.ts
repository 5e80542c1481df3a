import { API_KEY_PREFIX } from './api-keys/api-key-text';

/** What a caller presented. Undefined and empty mean that it was not sent. */
export interface Credentials {
  /** The value of `X-API-Key`. */
  readonly apiKey?: string | undefined;
  /** What follows `Bearer ` in `Authorization`: an access token, or an API key. */
  readonly bearer?: string | undefined;
}

/** The one of them that decides. */
export interface PresentedCredential {
  readonly kind: 'api_key' | 'token';
  readonly text: string;
}

/** The credential that decides, an API key before a bearer; undefined when nothing was sent. */
export function presentedCredential({ apiKey, bearer }: Credentials): PresentedCredential | undefined {
  if (apiKey !== undefined && apiKey !== '') return { kind: 'api_key', text: apiKey };
  if (bearer === undefined || bearer === '') return undefined;
  return { kind: bearer.startsWith(API_KEY_PREFIX) ? 'api_key' : 'token', text: bearer };
}
