export type { NatsConnectionSlots } from './nats-connection-slots';
export { NatsCoordination } from './nats-coordination';
export type { NatsPresenceBoard } from './nats-presence-board';
export type { NatsRateExchange } from './nats-rate-exchange';
export type { NatsSessionDeltas } from './nats-session-deltas';
export type { CoordinationMetric, NatsCoordinationOptions } from './options';
