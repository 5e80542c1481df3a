import { SluiceError } from '@sluice/event-log';

/** The one error that whoever needs NATS meets. */
export function unavailable(message: string, cause?: unknown): SluiceError {
  return new SluiceError('delivery_log_unavailable', message, cause === undefined ? {} : { cause });
}

/** Keeps what is a SluiceError already, wraps the rest. */
export function toUnavailable(error: unknown, message: string): SluiceError {
  return error instanceof SluiceError ? error : unavailable(message, error);
}
