import { MemoryConnectionSlots, NO_RATE_EXCHANGE, type ConnectionSlots, type RateExchange } from '@sluice/access';
import { MemoryPresenceBoard, type PresenceBoard, type PresenceSignals } from '@sluice/delivery';

/** What the replicas of an installation tell each other. */
export interface Coordination {
  readonly connectionSlots: ConnectionSlots;
  readonly rates: RateExchange;
  readonly presence: PresenceBoard;
  /** Gives back and leaves what this process holds. Idempotent, bounded. */
  close(): Promise<void>;
}

/** For engines that are one process: there is nobody to tell. */
export function memoryCoordination(presenceSignals?: PresenceSignals): Coordination {
  const connectionSlots = new MemoryConnectionSlots();
  const presence = new MemoryPresenceBoard(presenceSignals);
  return {
    connectionSlots,
    rates: NO_RATE_EXCHANGE,
    presence,
    close: async () => {
      await connectionSlots.close();
      await presence.close();
    },
  };
}
