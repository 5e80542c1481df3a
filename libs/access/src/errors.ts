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

/** Whether the credential is good cannot be found out now. Never answered as 401: that would make clients give up. */
export function cannotAuthenticate(cause?: unknown): SluiceError {
  return new SluiceError('read_model_unavailable', 'Credentials cannot be checked at the moment', { cause });
}

/** The first fault that zod found, as one line with its place. */
export function invalidRequest(error: z.ZodError): SluiceError {
  const issue = error.issues[0];
  const where = issue?.path.map(String).join('.') ?? '';
  const message = issue?.message ?? 'Invalid input';
  return new SluiceError('invalid_request', where === '' ? message : `${where}: ${message}`, {
    where: where === '' ? undefined : where,
    cause: error,
  });
}
