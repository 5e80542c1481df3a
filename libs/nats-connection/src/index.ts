export type { ConnectionManner, NatsAddress } from './options';
export { SteadyConnection, type ConnectionListener } from './steady-connection';
export { afterReading, LateAnswer, pause, retryDelayMs, within } from './timing';
export { toUnavailable, unavailable } from './unavailable';
