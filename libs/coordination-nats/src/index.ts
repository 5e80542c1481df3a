export type { NatsConnectionSlots } from './nats-connection-slots';
export type { NatsPresenceBoard } from './nats-presence-board';
export type { NatsRateExchange } from './nats-rate-exchange';
export { NatsCoordination, openNatsCoordination } from './open-coordination';
export type { CoordinationMetric, NatsCoordinationOptions } from './options';
