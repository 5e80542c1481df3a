/** Exponential waits: doubled after each failure, up to the maximum, until `reset`. */
export class Backoff {
  private nextMs: number;

  constructor(private readonly range: { readonly first: number; readonly maximum: number }) {
    this.nextMs = range.first;
  }

  /** The wait after one more failure, in milliseconds. */
  next(): number {
    const delayMs = this.nextMs;
    this.nextMs = Math.min(delayMs * 2, this.range.maximum);
    return delayMs;
  }

  reset(): void {
    this.nextMs = this.range.first;
  }
}

/** Waits; an abort of the signal ends the wait early. Never rejects. */
export function pause(durationMs: number, signal?: AbortSignal): Promise<void> {
  if (signal?.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, durationMs);
    signal?.addEventListener('abort', done);
  });
}

/** The promise's outcome, or a rejection when it takes longer. What was started goes on. */
export async function within<T>(durationMs: number, what: string, promise: Promise<T>): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${what} took longer than ${durationMs} ms`)), durationMs);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}
