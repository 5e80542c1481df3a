import { SluiceError } from '@sluice/event-log';
import { ConnectionLimiter, tooManyConnections, type ConnectionLease } from './connection-limiter';

/** Slots for connections, counted over all replicas. */
export interface ConnectionSlots {
  /**
   * Takes one of `limit` slots of `key`, within a second. `onLost` is called at most once, never after the lease was
   * released, if the slot turns out to be gone later: what occupies it has to be closed then. It must not throw.
   *
   * While the replicas cannot reach each other each counts alone, and those that took too many lose the newest slots
   * when they can again.
   *
   * @throws SluiceError `too_many_connections` (retryAfterMs); `shutting_down` after `close`
   */
  acquire(key: string, limit: number, onLost: (reason: SluiceError) => void): Promise<ConnectionLease>;

  /** Gives every slot back, without calling `onLost`. Idempotent, bounded. */
  close(): Promise<void>;
}

/** All slots of a caller are taken. */
export function noSlotLeft(): SluiceError {
  return tooManyConnections('Too many open connections of this caller');
}

/** A slot that was given is no longer held: others took it while this replica was out of reach. */
export function slotLost(): SluiceError {
  return tooManyConnections('The slot of this connection was taken by another');
}

/** Slots are given back all together because the process ends. */
export function slotsClosed(): SluiceError {
  return new SluiceError('shutting_down', 'The server is shutting down');
}

/** All replicas are this process, so no slot is ever lost. */
export class MemoryConnectionSlots implements ConnectionSlots {
  private readonly taken = new ConnectionLimiter({ perKey: 0, total: Infinity });
  private isClosed = false;

  async acquire(key: string, limit: number): Promise<ConnectionLease> {
    if (this.isClosed) throw slotsClosed();
    if (this.taken.countOf(key) >= limit) throw noSlotLeft();
    return this.taken.acquire(key, limit);
  }

  async close(): Promise<void> {
    this.isClosed = true;
  }
}
