/** Waits, at most until the signal; never rejects. */
export function pause(durationMs: number, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, durationMs);
    signal.addEventListener('abort', end);
  });
}

/** Waits after faults: doubled each time, up to a maximum, until something succeeds. */
export class BackOff {
  private nextMs = FIRST_DELAY_MS;

  succeeded(): void {
    this.nextMs = FIRST_DELAY_MS;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const delayMs = this.nextMs;
    this.nextMs = Math.min(delayMs * 2, MAXIMUM_DELAY_MS);
    await pause(delayMs, signal);
  }
}

const FIRST_DELAY_MS = 100;
const MAXIMUM_DELAY_MS = 10_000;
