import { SluiceError } from '@sluice/event-log';

export function logUnavailable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('log_unavailable', message, cause === undefined ? {} : { cause });
}
