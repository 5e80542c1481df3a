import { SteadyConnection } from '@sluice/nats-connection';
import { NatsConnectionSlots } from './nats-connection-slots';
import { NatsPresenceBoard } from './nats-presence-board';
import { NatsRateExchange } from './nats-rate-exchange';
import { NatsSessionDeltas } from './nats-session-deltas';
import { DRAIN_TIMEOUT_MS, RETRY_DELAY_MS, type NatsCoordinationOptions } from './options';

/**
 * What the replicas of an installation tell each other, over one connection to NATS. Without NATS each replica counts
 * alone, and they come together by themselves when it is there.
 */
export class NatsCoordination {
  readonly connectionSlots: NatsConnectionSlots;
  readonly rates: NatsRateExchange;
  readonly presence: NatsPresenceBoard;
  readonly sessionDeltas: NatsSessionDeltas;
  private readonly connection: SteadyConnection;

  /** Starts to connect at once, in the background; everything can be used at once. */
  constructor(options: NatsCoordinationOptions) {
    this.connection = new SteadyConnection(options, {
      retryDelayMs: RETRY_DELAY_MS,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
      // What a replica tells the others it does not tell itself.
      noEcho: true,
    });
    this.connectionSlots = new NatsConnectionSlots(this.connection, options);
    this.rates = new NatsRateExchange(this.connection, options);
    this.presence = new NatsPresenceBoard(this.connection, options);
    this.sessionDeltas = new NatsSessionDeltas(this.connection, options);
  }

  /** Gives back and leaves what this process holds, and disconnects. Idempotent, bounded. */
  async close(): Promise<void> {
    await this.sessionDeltas.close();
    await this.presence.close();
    await this.connectionSlots.close();
    await this.connection.close();
  }
}
