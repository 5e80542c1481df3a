/** Waits between attempts to connect again. */
export const RECONNECT_DELAY_MS = { first: 250, least: 100, maximum: 10_000 } as const;

/** Each wait is twice as long as the one before, up to the maximum, and up to half as much again, at random. */
export class Backoff {
  private firstMs: number = RECONNECT_DELAY_MS.first;
  private baseMs: number = RECONNECT_DELAY_MS.first;

  /** The next wait. */
  next(): number {
    const delayMs = this.baseMs * (1 + Math.random() / 2);
    this.baseMs = Math.min(this.baseMs * 2, RECONNECT_DELAY_MS.maximum);
    return delayMs;
  }

  /** Something arrived: the next fault is a new one. */
  reset(): void {
    this.baseMs = this.firstMs;
  }

  /** The server says how long to wait at first. */
  startAt(delayMs: number): void {
    this.firstMs = Math.min(Math.max(delayMs, RECONNECT_DELAY_MS.least), RECONNECT_DELAY_MS.maximum);
    this.baseMs = this.firstMs;
  }
}

/** Waits, or less when the signal aborts. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    if (signal.aborted) done();
    else signal.addEventListener('abort', done);
  });
}
