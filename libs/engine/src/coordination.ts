import { MemoryConnectionSlots, NO_RATE_EXCHANGE, type ConnectionSlots, type RateExchange } from '@sluice/access';
import { MemorySessionDeltas, type SessionDeltas } from '@sluice/agent-sessions';
import { MemoryPresenceBoard, type PresenceBoard, type PresenceSignals } from '@sluice/delivery';

/** What the replicas of an installation tell each other. */
export interface Coordination {
  readonly connectionSlots: ConnectionSlots;
  readonly rates: RateExchange;
  readonly presence: PresenceBoard;
  /** What is being made in sessions. */
  readonly sessionDeltas: SessionDeltas;
  /** Gives back and leaves what this process holds. Idempotent, bounded. */
  close(): Promise<void>;
}

/** For engines that are one process: there is nobody to tell. */
export function memoryCoordination(presenceSignals?: PresenceSignals): Coordination {
  const connectionSlots = new MemoryConnectionSlots();
  const presence = new MemoryPresenceBoard(presenceSignals);
  const sessionDeltas = new MemorySessionDeltas();
  return {
    connectionSlots,
    rates: NO_RATE_EXCHANGE,
    presence,
    sessionDeltas,
    close: async () => {
      await sessionDeltas.close();
      await connectionSlots.close();
      await presence.close();
    },
  };
}
