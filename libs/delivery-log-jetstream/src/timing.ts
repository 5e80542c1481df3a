import { unavailable } from './unavailable';

/** Settles as the promise does, or rejects with `delivery_log_unavailable` after `timeoutMs`. */
export function within<T>(promise: Promise<T>, timeoutMs: number, what: string): Promise<T> {
  return new Promise<T>((resolve, reject) => {
    const timer = setTimeout(() => reject(unavailable(`${what} took more than ${timeoutMs} ms`)), timeoutMs);
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
