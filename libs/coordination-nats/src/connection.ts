import { connect, credsAuthenticator, type NatsConnection, type NodeConnectionOptions } from '@nats-io/transport-node';
import {
  CONNECT_TIMEOUT_MS,
  DRAIN_TIMEOUT_MS,
  PING_INTERVAL_MS,
  RETRY_DELAY_MS,
  type NatsCoordinationOptions,
} from './options';
import { pause, retryDelayMs, within } from './timing';
import { unavailable } from './unavailable';

export interface ConnectionListener {
  /** A connection is usable: the first one, the same one after a reconnect, or another one. */
  onUp(connection: NatsConnection): void;
  onDown(reason: unknown): void;
}

/**
 * One connection for ever: it connects in the background, reconnects with bounded back-off, and starts over when the
 * client gives a connection up. The listeners hear of every change.
 */
export class SteadyConnection {
  private connection: NatsConnection | undefined;
  private up = false;
  private downSinceMs = performance.now();
  private readonly listeners: ConnectionListener[] = [];
  private readonly closing = new AbortController();
  private readonly running: Promise<void>;

  constructor(private readonly options: NatsCoordinationOptions) {
    this.running = this.run();
  }

  /** The usable connection, if there is one at the moment. */
  get current(): NatsConnection | undefined {
    return this.up ? this.connection : undefined;
  }

  /** Adds a listener and tells it at once when a connection is up. */
  listen(listener: ConnectionListener): void {
    this.listeners.push(listener);
    if (this.up && this.connection) listener.onUp(this.connection);
  }

  /** Sends what is on its way, then lets go. Bounded, idempotent. */
  async close(): Promise<void> {
    if (!this.closing.signal.aborted) {
      const { connection, up } = this;
      this.closing.abort();
      this.listeners.length = 0;
      this.up = false;
      if (connection && up) await within(connection.drain(), DRAIN_TIMEOUT_MS, 'Draining').catch(() => undefined);
      await within(connection?.close() ?? Promise.resolve(), DRAIN_TIMEOUT_MS, 'Closing').catch(() => undefined);
    }
    await within(this.running, DRAIN_TIMEOUT_MS, 'Closing').catch(() => undefined);
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
        await this.watch(connection);
        this.setDown(unavailable('The connection to NATS was given up'));
      } catch (error) {
        this.setDown(unavailable('NATS cannot be reached', error));
      }
      await pause(retryDelayMs(this.downSinceMs, RETRY_DELAY_MS), signal);
    }
  }

  /** Resolves when the client has given the connection up. */
  private async watch(connection: NatsConnection): Promise<void> {
    for await (const status of connection.status()) {
      if (status.type === 'disconnect') this.setDown(unavailable(`The connection to ${status.server} was lost`));
      if (status.type === 'reconnect') this.setUp(connection);
    }
  }

  private setUp(connection: NatsConnection): void {
    if (this.up || this.closing.signal.aborted) return;
    this.up = true;
    for (const { onUp } of [...this.listeners]) onUp(connection);
  }

  private setDown(reason: unknown): void {
    if (this.up) this.downSinceMs = performance.now();
    this.up = false;
    // Also when it was not up: somebody may wait for the first attempt to end.
    for (const { onDown } of [...this.listeners]) onDown(reason);
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
      // What a replica tells the others it does not tell itself.
      noEcho: true,
    };
  }
}
