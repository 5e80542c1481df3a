import { setMaxListeners } from 'node:events';
import { SafeFetchError } from './errors';

/** Fetches at a time that may listen to one signal; more of them look like a leak to Node, which warns. */
const MAX_LISTENERS = 100_000;

/** Ends a fetch when its time is over, or when its caller gives it up. */
export class Deadline {
  private readonly controller = new AbortController();
  private readonly timer: NodeJS.Timeout;

  constructor(
    timeoutMs: number,
    private readonly caller: AbortSignal | undefined,
  ) {
    this.timer = setTimeout(() => {
      this.controller.abort(new SafeFetchError('timeout', `No whole answer within ${timeoutMs} ms`));
    }, timeoutMs);
    expectMany(caller);
    caller?.addEventListener('abort', this.onCallerAbort);
    if (caller?.aborted === true) {
      this.onCallerAbort();
    }
  }

  /** Aborted with a SafeFetchError as its reason. */
  get signal(): AbortSignal {
    return this.controller.signal;
  }

  /** Lets go of timer and caller; the signal stays as it is. */
  end(): void {
    clearTimeout(this.timer);
    this.caller?.removeEventListener('abort', this.onCallerAbort);
  }

  private readonly onCallerAbort = (): void => {
    this.controller.abort(reasonOf(this.caller));
  };
}

/** Lets many fetches listen to one signal without a warning: each takes its listener away at its end. */
export function expectMany(signal: AbortSignal | undefined): void {
  if (signal !== undefined) {
    setMaxListeners(MAX_LISTENERS, signal);
  }
}

/** Why a signal was aborted, as the error that the fetch rejects with. */
export function reasonOf(signal: AbortSignal | undefined): SafeFetchError {
  const reason: unknown = signal?.reason;
  return reason instanceof SafeFetchError
    ? reason
    : new SafeFetchError('aborted', 'The fetch was given up', { cause: reason });
}

/** The outcome of `work`, or a rejection as soon as the signal is aborted. */
export function untilAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  return new Promise((resolve, reject) => {
    const onAbort = (): void => reject(reasonOf(signal));
    signal.addEventListener('abort', onAbort);
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', onAbort));
    if (signal.aborted) {
      onAbort();
    }
  });
}
