import { setMaxListeners } from 'node:events';

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

/** Resolves when the work has settled, or when the signal comes, whichever is first; never rejects. */
export function settledOrAborted(work: Promise<unknown>, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = () => {
      signal.removeEventListener('abort', end);
      resolve();
    };
    signal.addEventListener('abort', end);
    work.then(end, end);
  });
}

/** Waits after faults: doubled each time, up to a maximum, until something succeeds. */
export class BackOff {
  private nextMs: number;

  constructor(private readonly delays: { readonly firstMs: number; readonly maximumMs: number }) {
    this.nextMs = delays.firstMs;
  }

  succeeded(): void {
    this.nextMs = this.delays.firstMs;
  }

  async wait(signal: AbortSignal): Promise<void> {
    const delayMs = this.nextMs;
    this.nextMs = Math.min(delayMs * 2, this.delays.maximumMs);
    await pause(delayMs, signal);
  }
}

/** Aborted with the first of these. As many as like may listen: all that goes on at a time does. */
export function firstOf(...signals: AbortSignal[]): AbortSignal {
  const first = AbortSignal.any(signals);
  setMaxListeners(0, first);
  return first;
}
