import { expectMany, reasonOf } from './deadline';
import { SafeFetchError } from './errors';
import type { SafeFetchLimits } from './options';

interface Waiter {
  readonly host: string;
  readonly grant: () => void;
}

/** How many exchanges run at a time, in all and with one host. Who waits is served in order, except for those whose host is full. */
export class Slots {
  private running = 0;
  private readonly runningOfHost = new Map<string, number>();
  private waiters: Waiter[] = [];

  constructor(
    private readonly limits: Pick<
      SafeFetchLimits,
      'maxConcurrent' | 'maxConcurrentPerHost' | 'maxWaiting' | 'maxWaitingPerHost' | 'maxWaitMs'
    >,
  ) {}

  /**
   * A slot, and how to give it back (idempotent).
   * @throws SafeFetchError `busy` where too many wait, in all or for the host, or the wait was too long; the signal's reason when it is aborted.
   */
  take(host: string, signal: AbortSignal | undefined): Promise<() => void> {
    if (signal?.aborted === true) {
      return Promise.reject(reasonOf(signal));
    }
    if (this.isFree(host)) {
      return Promise.resolve(this.occupy(host));
    }
    if (this.waiters.length >= this.limits.maxWaiting) {
      return Promise.reject(new SafeFetchError('busy', 'Too many fetches wait for their turn'));
    }
    if (this.waitingFor(host) >= this.limits.maxWaitingPerHost) {
      return Promise.reject(new SafeFetchError('busy', 'Too many fetches wait for their turn at this host'));
    }
    return this.wait(host, signal);
  }

  private waitingFor(host: string): number {
    return this.waiters.reduce((count, waiter) => count + (waiter.host === host ? 1 : 0), 0);
  }

  private wait(host: string, signal: AbortSignal | undefined): Promise<() => void> {
    return new Promise((resolve, reject) => {
      const settle = (): void => {
        clearTimeout(timer);
        signal?.removeEventListener('abort', onAbort);
        this.waiters = this.waiters.filter((other) => other !== waiter);
      };
      const giveUp = (error: SafeFetchError): void => {
        settle();
        reject(error);
      };
      const onAbort = (): void => giveUp(reasonOf(signal));
      const timer = setTimeout(
        () => giveUp(new SafeFetchError('busy', `No turn within ${this.limits.maxWaitMs} ms`)),
        this.limits.maxWaitMs,
      );
      const waiter: Waiter = {
        host,
        grant: () => {
          settle();
          resolve(this.occupy(host));
        },
      };
      expectMany(signal);
      signal?.addEventListener('abort', onAbort);
      this.waiters.push(waiter);
    });
  }

  private isFree(host: string): boolean {
    return (
      this.running < this.limits.maxConcurrent && (this.runningOfHost.get(host) ?? 0) < this.limits.maxConcurrentPerHost
    );
  }

  private occupy(host: string): () => void {
    this.running += 1;
    this.runningOfHost.set(host, (this.runningOfHost.get(host) ?? 0) + 1);
    let held = true;
    return () => {
      if (held) {
        held = false;
        this.free(host);
      }
    };
  }

  private free(host: string): void {
    this.running -= 1;
    const left = (this.runningOfHost.get(host) ?? 1) - 1;
    if (left === 0) {
      this.runningOfHost.delete(host);
    } else {
      this.runningOfHost.set(host, left);
    }
    this.waiters.find((waiter) => this.isFree(waiter.host))?.grant();
  }
}
