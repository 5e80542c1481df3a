import { SluiceError } from '@sluice/event-log';

/** No answer came in time. It may still come, and what was asked for may have been done. */
export class LateAnswer extends SluiceError {
  constructor(message: string) {
    super('delivery_log_unavailable', message);
  }
}

/**
 * Settles as the promise does, or rejects with `LateAnswer` after `timeoutMs`. An answer that is there already, but
 * that a busy process did not come to look at, is in time.
 */
export function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const late = () => reject(new LateAnswer(`${what} took more than ${timeoutMs} ms`));
    const timer = setTimeout(() => afterReading(late), timeoutMs);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** Resolves after `durationMs`, or as soon as the signal aborts. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise<void>((resolve) => {
    if (signal.aborted) return resolve();
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener('abort', end);
  });
}

/** A wait that grows with the length of the outage, within bounds. */
export function retryDelayMs(downSinceMs: number, bounds: { minimum: number; maximum: number }): number {
  const elapsedMs = performance.now() - downSinceMs;
  return Math.min(bounds.maximum, Math.max(bounds.minimum, elapsedMs / 4));
}

/** Calls back when what has arrived at the sockets was read: the loop reads in one turn, and acts on it in the next. */
export function afterReading(callback: () => void): void {
  setImmediate(() => setImmediate(callback));
}
