import type { ErrorCode } from '@sluice/event-log';
import type { Dialect, ProtocolErrorCode } from '@sluice/resp-protocol';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/**
 * Why a connection is over: the code that it was told, or
 * - `client`: the peer closed, said QUIT, or unsubscribed and left;
 * - `lost`: the socket failed;
 * - `protocol_error`: its bytes could not be read.
 */
export type ConnectionEnd = ErrorCode | 'client' | 'lost' | 'protocol_error';

/** What a log line tells of a connection; never a credential. */
export interface ConnectionFacts {
  readonly connectionId: number;
  readonly remoteAddress: string;
  readonly dialect: Dialect | undefined;
  readonly principalId: string | undefined;
}

/** Everything that this app tells its operators. */
export interface PubSubSignals {
  connectionOpened(): void;
  /** The first byte told the dialect. */
  dialectKnown(dialect: Dialect): void;
  /** Called when the end begins; the socket may still be flushed. */
  connectionEnding(facts: ConnectionFacts, reason: ConnectionEnd): void;
  connectionClosed(dialect: Dialect | undefined): void;
  /** Destroyed because the peer neither took the last bytes nor closed in time. */
  connectionDestroyed(): void;
  connectionRefused(): void;
  command(dialect: Dialect, name: string): void;
  subscribed(facts: ConnectionFacts, what: string): void;
  authenticationFailed(facts: ConnectionFacts, code: ErrorCode): void;
  protocolError(code: ProtocolErrorCode | 'tls'): void;
  sent(bytes: number): void;
  delivered(dialect: Dialect, events: number): void;
  fault(error: unknown): void;
}

const COMMANDS: ReadonlySet<string> = new Set(
  (
    'SUBSCRIBE UNSUBSCRIBE PSUBSCRIBE PUNSUBSCRIBE RESUME PING QUIT AUTH HELLO CLIENT SELECT INFO COMMAND RESET ' +
    'ECHO'
  ).split(' '),
);
const QUIET_ENDS: ReadonlySet<ConnectionEnd> = new Set(['client', 'shutting_down']);

export function createPubSubSignals(metrics: MetricsRegistry, logger: Logger): PubSubSignals {
  const connections = metrics.gauge<'dialect'>({
    name: 'sluice_pubsub_connections',
    help: 'Open connections by dialect; `none` before the first byte.',
    labels: ['dialect'],
  });
  const opened = metrics.counter({ name: 'sluice_pubsub_connections_total', help: 'Connections that were accepted.' });
  const ended = metrics.counter<'reason'>({
    name: 'sluice_pubsub_connections_ended_total',
    help: 'Connections that ended, by reason.',
    labels: ['reason'],
  });
  const destroyed = metrics.counter({
    name: 'sluice_pubsub_connections_destroyed_total',
    help: 'Ended connections whose peer did not close in time.',
  });
  const refused = metrics.counter({
    name: 'sluice_pubsub_connections_refused_total',
    help: 'Connections beyond the maximum.',
  });
  const commands = metrics.counter<'dialect' | 'command'>({
    name: 'sluice_pubsub_commands_total',
    help: 'Commands by dialect and name.',
    labels: ['dialect', 'command'],
  });
  const failures = metrics.counter<'code'>({
    name: 'sluice_pubsub_authentication_failures_total',
    help: 'Credentials that were not accepted, by code.',
    labels: ['code'],
  });
  const protocolErrors = metrics.counter<'code'>({
    name: 'sluice_pubsub_protocol_errors_total',
    help: 'Connections whose bytes could not be read, by code.',
    labels: ['code'],
  });
  const sentBytes = metrics.counter({ name: 'sluice_pubsub_sent_bytes_total', help: 'Bytes handed to sockets.' });
  const delivered = metrics.counter<'dialect'>({
    name: 'sluice_pubsub_delivered_events_total',
    help: 'Events written to subscribers, by dialect.',
    labels: ['dialect'],
  });
  return {
    connectionOpened() {
      opened.inc();
      connections.inc({ dialect: 'none' });
    },
    dialectKnown(dialect) {
      connections.dec({ dialect: 'none' });
      connections.inc({ dialect });
    },
    connectionEnding(facts, reason) {
      ended.inc({ reason });
      logger[QUIET_ENDS.has(reason) ? 'debug' : 'info']('connection ended', { ...facts, reason });
    },
    connectionClosed: (dialect) => connections.dec({ dialect: dialect ?? 'none' }),
    connectionDestroyed: () => destroyed.inc(),
    connectionRefused: () => refused.inc(),
    command: (dialect, name) => commands.inc({ dialect, command: COMMANDS.has(name) ? name.toLowerCase() : 'other' }),
    subscribed: (facts, what) => logger.debug('subscribed', { ...facts, what }),
    authenticationFailed(facts, code) {
      failures.inc({ code });
      logger.debug('authentication failed', { ...facts, code });
    },
    protocolError: (code) => protocolErrors.inc({ code }),
    sent: (bytes) => sentBytes.inc(bytes),
    delivered: (dialect, events) => delivered.inc({ dialect }, events),
    fault: (error) => logger.error('survived a fault', { error }),
  };
}
