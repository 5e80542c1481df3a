import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import {
  CONNECT_TIMEOUT_MS,
  DRAIN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  RETRY_DELAY_MS,
  type JetStreamDeliveryLogOptions,
} from './options';
import { pause, retryDelayMs, within } from './timing';
import { unavailable } from './unavailable';

export interface ConnectionListener {
  /** A connection is usable: the first one, the same one after a reconnect, or another one. */
  onUp(connection: NatsConnection): void;
  onDown(): void;
}

/**
 * One connection for ever: it connects in the background, reconnects with bounded back-off, and starts over when the
 * client gives a connection up. Listeners hear of every change.
 */
export class SteadyConnection {
  private connection: NatsConnection | undefined;
  private up = false;
  private downSinceMs = performance.now();
  private readonly listeners = new Set<ConnectionListener>();
  private readonly closing = new AbortController();
  private readonly running: Promise<void>;
  private resolveAttempted: () => void = () => undefined;
  /** Resolves as soon as the first attempt to connect has succeeded or failed. */
  readonly attempted = new Promise<void>((resolve) => (this.resolveAttempted = resolve));

  constructor(private readonly options: JetStreamDeliveryLogOptions) {
    this.running = this.run();
  }

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The usable connection. @throws SluiceError `delivery_log_unavailable` when there is none at the moment */
  get current(): NatsConnection {
    if (this.closed) throw unavailable('The delivery log is closed');
    if (!this.up || !this.connection) throw unavailable('NATS is not connected');
    return this.connection;
  }

  /** Adds a listener and tells it at once when a connection is up. Returns how to remove it. */
  listen(listener: ConnectionListener): () => void {
    this.listeners.add(listener);
    if (this.up && this.connection) listener.onUp(this.connection);
    return () => void this.listeners.delete(listener);
  }

  /** Resolves with the usable connection. @throws SluiceError `delivery_log_unavailable` after `close`, or when the signal aborts */
  whenUp(signal: AbortSignal): Promise<NatsConnection> {
    return new Promise<NatsConnection>((resolve, reject) => {
      const abort = () => end(() => reject(unavailable('The delivery log is closed')));
      const end = (settle: () => void) => {
        stop();
        signal.removeEventListener('abort', abort);
        this.closing.signal.removeEventListener('abort', abort);
        settle();
      };
      let stop = (): void => undefined;
      if (signal.aborted || this.closed) return abort();
      signal.addEventListener('abort', abort);
      this.closing.signal.addEventListener('abort', abort);
      if (this.up && this.connection) {
        const { connection } = this;
        return end(() => resolve(connection));
      }
      stop = this.listen({ onUp: (connection) => end(() => resolve(connection)), onDown: () => undefined });
    });
  }

  /** Sends what is on its way, then lets go. Bounded, idempotent. */
  async close(): Promise<void> {
    if (!this.closed) {
      const { connection, up } = this;
      this.closing.abort();
      if (connection && up) {
        await within(connection.drain(), DRAIN_TIMEOUT_MS, 'Draining').catch(() => undefined);
      }
      this.setDown();
      await within(connection?.close() ?? Promise.resolve(), DRAIN_TIMEOUT_MS, 'Closing').catch(() => undefined);
      this.listeners.clear();
    }
    await within(this.running, DRAIN_TIMEOUT_MS, 'Closing').catch(() => undefined);
  }

  private async run(): Promise<void> {
    while (!this.closed) {
      try {
        const connection = await connect(this.connectOptions());
        if (this.closed) {
          await connection.close();
          return;
        }
        this.connection = connection;
        this.setUp(connection);
        this.resolveAttempted();
        await this.watch(connection);
      } catch (error) {
        if (!this.closed) this.options.onFault?.(unavailable('NATS cannot be reached', error));
      }
      this.setDown();
      this.resolveAttempted();
      await pause(retryDelayMs(this.downSinceMs, RETRY_DELAY_MS), this.closing.signal);
    }
  }

  /** Resolves when the client has given the connection up. */
  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') {
        this.setDown();
        if (!this.closed) this.options.onFault?.(unavailable(`Connection to ${status.server} lost`));
      } else if (status.type === 'reconnect') {
        this.setUp(connection);
      } else if (status.type === 'error' && !this.closed) {
        this.options.onFault?.(unavailable('NATS reports an error', status.error));
      }
    }
  }

  private setUp(connection: NatsConnection): void {
    if (this.up || this.closed) return;
    this.up = true;
    this.options.onMetric?.({ kind: 'connection', connected: true });
    for (const listener of [...this.listeners]) listener.onUp(connection);
  }

  private setDown(): void {
    if (!this.up) return;
    this.up = false;
    this.downSinceMs = performance.now();
    this.options.onMetric?.({ kind: 'connection', connected: false });
    for (const listener of [...this.listeners]) listener.onDown();
  }

  private connectOptions(): NodeConnectionOptions {
    const { servers, user, pass, token, credentials, tls, name } = this.options;
    return {
      servers: typeof servers === 'string' ? servers.split(',').map((server) => server.trim()) : [...servers],
      ...(name === undefined ? {} : { name }),
      ...(user === undefined ? {} : { user }),
      ...(pass === undefined ? {} : { pass }),
      ...(token === undefined ? {} : { token }),
      ...(credentials === undefined ? {} : { authenticator: credsAuthenticator(credentials) }),
      ...(tls === undefined ? {} : { tls: { ...tls } }),
      timeout: CONNECT_TIMEOUT_MS,
      pingInterval: PING_INTERVAL_MS,
      maxPingOut: 2,
      maxReconnectAttempts: -1,
      reconnectDelayHandler: () => retryDelayMs(this.downSinceMs, RETRY_DELAY_MS),
      // Credentials may be mended at the server while we wait: nobody has to restart us for that.
      ignoreAuthErrorAbort: true,
    };
  }
}
