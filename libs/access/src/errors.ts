import { SluiceError } from '@sluice/event-log';
import type { z } from 'zod';

/** No credential came with the request. */
export function missingCredentials(): SluiceError {
  return new SluiceError('unauthorized', 'API key or access token required');
}

/**
 * The one answer to every credential that does not fit: unknown, malformed, revoked, expired key, forged token, and also
 * a valid one aimed at a foreign workspace or sandbox. Its text is fixed, so that it tells nothing about what exists.
 */
export function badCredentials(cause?: unknown): SluiceError {
  return new SluiceError('unauthorized', 'Invalid API key or access token', { cause });
}

/** The token is authentic but its time is over. */
export function tokenExpired(cause?: unknown): SluiceError {
  return new SluiceError('token_expired', 'Access token expired', { cause });
}

/** The credential was good when it came and is so no longer: what it opened ends. */
export function keyRevoked(): SluiceError {
  return new SluiceError('unauthorized', 'The API key was revoked');
}

/** The credential's time is over: what it opened ends. */
export function credentialsExpired(): SluiceError {
  return new SluiceError('token_expired', 'The credentials have expired');
}

/** Whether an API key is good cannot be found out now. Never answered as 401: that would make clients give up. */
export function keyStoreUnavailable(cause?: unknown): SluiceError {
  return new SluiceError('read_model_unavailable', CANNOT_BE_CHECKED, { cause });
}

/** The public keys of access tokens cannot be fetched, and none are known that are young enough. Never a 401 either. */
export function keySetUnavailable(cause?: unknown): SluiceError {
  return new SluiceError('key_set_unavailable', CANNOT_BE_CHECKED, { cause });
}

const CANNOT_BE_CHECKED = 'Credentials cannot be checked at the moment';

/** The first fault that zod found, as one line with its place. */
export function invalidRequest(error: z.ZodError): SluiceError {
  const issue = error.issues[0];
  const where = issue?.path.map(String).join('.') ?? '';
  // One unknown key says enough; a caller may have sent any number.
  const unknown = issue?.code === 'unrecognized_keys' ? issue.keys[0] : undefined;
  const message = unknown === undefined ? (issue?.message ?? 'Invalid input') : `Unrecognized key: "${unknown}"`;
  return new SluiceError('invalid_request', where === '' ? message : `${where}: ${message}`, {
    where: where === '' ? undefined : where,
    cause: error,
  });
}
