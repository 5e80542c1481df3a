import { SluiceError } from '@sluice/event-log';
import { ConnectionLimiter, tooManyConnections, type ConnectionLease } from './connection-limiter';

/** Places for connections, counted over all replicas. */
export interface ConnectionSlots {
  /**
   * Takes one of `limit` places of `key`, within a second. `onLost` is called at most once, never after the lease was
   * released, if the place turns out to be gone later: what occupies it has to be closed then. It must not throw.
   *
   * While the replicas cannot reach each other each counts alone, and those that took too many lose the newest places
   * when they can again.
   *
   * @throws SluiceError `too_many_connections` (retryAfterMs); `shutting_down` after `close`
   */
  acquire(key: string, limit: number, onLost: (reason: SluiceError) => void): Promise<ConnectionLease>;

  /** Gives every place back, without calling `onLost`. Idempotent, bounded. */
  close(): Promise<void>;
}

/** All places of a caller are taken. */
export function noSlotLeft(): SluiceError {
  return tooManyConnections('Too many open connections of this caller');
}

/** A place that was given is no longer held: others took it while this replica was out of reach. */
export function slotLost(): SluiceError {
  return tooManyConnections('The place of this connection was taken by another');
}

/** Places are given back all together because the process ends. */
export function slotsClosed(): SluiceError {
  return new SluiceError('shutting_down', 'The server is shutting down');
}

/** All replicas are this process, so no place is ever lost. */
export class MemoryConnectionSlots implements ConnectionSlots {
  private readonly places = new ConnectionLimiter({ perKey: 0, total: Infinity });
  private isClosed = false;

  async acquire(key: string, limit: number): Promise<ConnectionLease> {
    if (this.isClosed) throw slotsClosed();
    if (this.places.countOf(key) >= limit) throw noSlotLeft();
    return this.places.acquire(key, limit);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
