import { SluiceError } from '@sluice/event-log';

export interface ConnectionLimits {
  /** Most open connections of one key. */
  readonly perKey: number;
  /** Most open connections of all keys together. */
  readonly total: number;
}

/** When to try again for a slot: nobody knows when one is given back, and those of a dead replica are within 10 s. */
export const SLOT_RETRY_AFTER_MS = 5_000;

/** There is no slot for a connection. */
export function tooManyConnections(message: string): SluiceError {
  return new SluiceError('too_many_connections', message, { retryAfterMs: SLOT_RETRY_AFTER_MS });
}

/** A slot that is taken. */
export interface ConnectionLease {
  /** Gives the slot back. May be called any number of times. */
  release(): void;
}

/** Counts open connections (streams) per key and in total. It holds nothing for a key without one. */
export class ConnectionLimiter {
  private readonly counts = new Map<string, number>();
  private open = 0;

  constructor(private readonly limits: ConnectionLimits) {}

  /** All open connections. */
  get total(): number {
    return this.open;
  }

  /** Open connections of one key. */
  countOf(key: string): number {
    return this.counts.get(key) ?? 0;
  }

  /** Takes a slot. Throws `too_many_connections` when the key, or the process, has none left. */
  acquire(key: string, perKey: number = this.limits.perKey): ConnectionLease {
    const count = this.countOf(key);
    if (count >= perKey) throw tooManyConnections('Too many open connections of this caller');
    if (this.open >= this.limits.total) throw tooManyConnections('Too many open connections');
    this.counts.set(key, count + 1);
    this.open++;
    let released = false;
    return {
      release: () => {
        if (released) return;
        released = true;
        this.free(key);
      },
    };
  }

  private free(key: string): void {
    this.open--;
    const left = this.countOf(key) - 1;
    if (left > 0) this.counts.set(key, left);
    else this.counts.delete(key);
  }
}
