import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import { CONNECT_TIMEOUT_MS, PING_INTERVAL_MS, type ConnectionManner, type NatsAddress } from './options';
import { pause, retryDelayMs, within } from './timing';
import { unavailable } from './unavailable';

export interface ConnectionListener {
  /** A connection is usable: the first one, the same one after a reconnect, or another one. */
  onUp?(connection: NatsConnection): void;
  /** There is none, or there is none still: an attempt has failed. Not told of its own `close` unless it was up. */
  onDown?(reason: Error): void;
  /** The server has complained; the connection is as it was. */
  onComplaint?(reason: Error): void;
}

/**
 * One connection for ever: it connects in the background, reconnects with bounded back-off, and starts over when the
 * client gives a connection up. The listeners hear of every change.
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

  constructor(
    private readonly address: NatsAddress,
    private readonly manner: ConnectionManner,
  ) {
    this.running = this.run();
  }

  get closed(): boolean {
    return this.closing.signal.aborted;
  }

  /** The usable connection, if there is one at the moment. */
  get current(): NatsConnection | undefined {
    return this.up ? this.connection : undefined;
  }

  /** The usable connection. @throws SluiceError `delivery_log_unavailable` when there is none at the moment */
  use(): NatsConnection {
    if (this.closed) throw unavailable('The connection to NATS is closed');
    const { current } = this;
    if (!current) throw unavailable('NATS is not connected');
    return current;
  }

  /** Adds a listener and tells it at once when a connection is up. Returns how to remove it. */
  listen(listener: ConnectionListener): () => void {
    this.listeners.add(listener);
    if (this.current) listener.onUp?.(this.current);
    return () => void this.listeners.delete(listener);
  }

  /** Resolves with the usable connection. @throws SluiceError `delivery_log_unavailable` after `close`, or when the signal aborts */
  whenUp(signal: AbortSignal): Promise<NatsConnection> {
    return new Promise<NatsConnection>((resolve, reject) => {
      const abort = () => end(() => reject(unavailable('The connection to NATS is closed')));
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
      const { current } = this;
      if (current) return end(() => resolve(current));
      stop = this.listen({ onUp: (connection) => end(() => resolve(connection)) });
    });
  }

  /** Sends what is on its way, then lets go. Bounded, idempotent. */
  async close(): Promise<void> {
    const { drainTimeoutMs } = this.manner;
    if (!this.closed) {
      const { connection, up } = this;
      this.closing.abort();
      if (connection && up) await within(connection.drain(), drainTimeoutMs, 'Draining').catch(() => undefined);
      if (up) this.setDown(unavailable('The connection to NATS is closed'));
      this.listeners.clear();
      await within(connection?.close() ?? Promise.resolve(), drainTimeoutMs, 'Closing').catch(() => undefined);
    }
    await within(this.running, drainTimeoutMs, 'Closing').catch(() => undefined);
  }

  private async run(): Promise<void> {
    const { signal } = this.closing;
    while (!signal.aborted) {
      try {
        const connection = await connect(this.connectOptions());
        if (signal.aborted) {
          await connection.close();
          return;
        }
        this.connection = connection;
        this.setUp(connection);
        this.resolveAttempted();
        await this.watch(connection);
        if (!signal.aborted) this.setDown(unavailable('The connection to NATS was given up'));
      } catch (error) {
        if (!signal.aborted) this.setDown(unavailable('NATS cannot be reached', error));
      }
      this.resolveAttempted();
      await pause(retryDelayMs(this.downSinceMs, this.manner.retryDelayMs), signal);
    }
  }

  /** Resolves when the client has given the connection up. */
  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (this.closed) continue;
      if (status.type === 'disconnect') this.setDown(unavailable(`The connection to ${status.server} was lost`));
      else if (status.type === 'reconnect') this.setUp(connection);
      else if (status.type === 'error') this.complain(unavailable('NATS reports an error', status.error));
    }
  }

  private setUp(connection: NatsConnection): void {
    if (this.up || this.closed) return;
    this.up = true;
    for (const listener of [...this.listeners]) listener.onUp?.(connection);
  }

  private setDown(reason: Error): void {
    if (this.up) this.downSinceMs = performance.now();
    this.up = false;
    // Also when it was not up: somebody may wait for the first attempt to end.
    for (const listener of [...this.listeners]) listener.onDown?.(reason);
  }

  private complain(reason: Error): void {
    for (const listener of [...this.listeners]) listener.onComplaint?.(reason);
  }

  private connectOptions(): NodeConnectionOptions {
    const { servers, user, pass, token, credentials, tls, name } = this.address;
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
      reconnectDelayHandler: () => retryDelayMs(this.downSinceMs, this.manner.retryDelayMs),
      // Credentials may be mended at the server while we wait: nobody has to restart us for that.
      ignoreAuthErrorAbort: true,
      noEcho: this.manner.noEcho ?? false,
    };
  }
}
