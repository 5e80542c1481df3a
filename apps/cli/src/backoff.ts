/** Waits between attempts to connect again: doubled each time up to the maximum, half of it at random. */
export const RECONNECT_DELAY_MS = { first: 250, maximum: 10_000 } as const;

export class Backoff {
  private ceilingMs: number = RECONNECT_DELAY_MS.first;

  /** The next wait. */
  next(): number {
    const delayMs = this.ceilingMs / 2 + (Math.random() * this.ceilingMs) / 2;
    this.ceilingMs = Math.min(this.ceilingMs * 2, RECONNECT_DELAY_MS.maximum);
    return delayMs;
  }

  /** Something arrived: the next fault is a new one. */
  reset(): void {
    this.ceilingMs = RECONNECT_DELAY_MS.first;
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
