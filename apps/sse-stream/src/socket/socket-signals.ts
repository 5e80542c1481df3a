import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { CloseReason } from './close-codes';

/** The two doors, as metrics name them. */
export type SocketDoorName = 'workspace' | 'socket';

/**
 * Why a connection is over: what the server closed it with, or
 * - `client`: the peer closed;
 * - `lost`: the connection broke;
 * - `silent`: the peer sent nothing, not even answers to pings.
 */
export type SocketEnd = CloseReason | 'client' | 'lost' | 'silent';

/** What a log line tells of a connection; never a credential. */
export interface SocketFacts {
  readonly door: SocketDoorName;
  readonly requestId: string;
  readonly principalId: string;
}

/** Everything that the socket doors tell their operators. */
export interface SocketSignals {
  opened(door: SocketDoorName): void;
  /** Called when the end begins; the socket may still be flushed. */
  ending(facts: SocketFacts, reason: SocketEnd): void;
  closed(door: SocketDoorName): void;
  /** The peer did not answer the close frame, or not in time. */
  unanswered(): void;
  message(door: SocketDoorName, type: string): void;
  faultyMessage(door: SocketDoorName): void;
  subscriptions(change: 1 | -1): void;
  delivered(door: SocketDoorName, events: number): void;
  sent(bytes: number): void;
  fault(error: unknown): void;
}

const QUIET_ENDS: ReadonlySet<SocketEnd> = new Set(['client', 'shutting_down']);

export function createSocketSignals(metrics: MetricsRegistry, logger: Logger): SocketSignals {
  const connections = metrics.gauge<'door'>({
    name: 'sluice_socket_connections',
    help: 'Open WebSocket connections, by door.',
    labels: ['door'],
  });
  const opened = metrics.counter<'door'>({
    name: 'sluice_socket_connections_total',
    help: 'WebSocket connections that were accepted, by door.',
    labels: ['door'],
  });
  const ended = metrics.counter<'door' | 'reason'>({
    name: 'sluice_socket_connections_ended_total',
    help: 'WebSocket connections that ended, by door and reason.',
    labels: ['door', 'reason'],
  });
  const unanswered = metrics.counter({
    name: 'sluice_socket_closes_unanswered_total',
    help: 'WebSocket connections that were closed and whose peer did not answer, or not in time.',
  });
  const messages = metrics.counter<'door' | 'type'>({
    name: 'sluice_socket_messages_total',
    help: 'Messages that were understood, by door and type.',
    labels: ['door', 'type'],
  });
  const faulty = metrics.counter<'door'>({
    name: 'sluice_socket_faulty_messages_total',
    help: 'Messages that could not be understood, by door.',
    labels: ['door'],
  });
  const subscriptions = metrics.gauge({
    name: 'sluice_socket_subscriptions',
    help: 'Subscriptions of all connections to /v1/socket.',
  });
  const delivered = metrics.counter<'door'>({
    name: 'sluice_socket_delivered_events_total',
    help: 'Events written to WebSocket connections, by door.',
    labels: ['door'],
  });
  const sentBytes = metrics.counter({
    name: 'sluice_socket_sent_bytes_total',
    help: 'Bytes of messages handed to WebSocket connections.',
  });
  return {
    opened(door) {
      opened.inc({ door });
      connections.inc({ door });
    },
    ending(facts, reason) {
      ended.inc({ door: facts.door, reason });
      logger[QUIET_ENDS.has(reason) ? 'debug' : 'info']('socket ended', { ...facts, reason });
    },
    closed: (door) => connections.dec({ door }),
    unanswered: () => unanswered.inc(),
    message: (door, type) => messages.inc({ door, type }),
    faultyMessage: (door) => faulty.inc({ door }),
    subscriptions: (change) => (change > 0 ? subscriptions.inc() : subscriptions.dec()),
    delivered: (door, events) => delivered.inc({ door }, events),
    sent: (bytes) => sentBytes.inc(bytes),
    fault: (error) => logger.error('a socket survived a fault', { error }),
  };
}
