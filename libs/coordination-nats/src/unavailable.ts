import { SluiceError } from '@sluice/event-log';

/** Why this replica counts alone. Callers never meet it: it is told to `onFault`. */
export function unavailable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('delivery_log_unavailable', message, cause === undefined ? {} : { cause });
}
