import { SluiceError } from '@sluice/event-log';
import { encodeLineError } from '@sluice/resp-protocol';
import { listenError, type TlsCertificate, type Worker } from '@sluice/service-runtime';
import type { Server, Socket } from 'node:net';
import type { PubSubConfig } from './config';
import { Connection } from './connection';
import { createListener } from './listener';
import type { PubSubPorts } from './session';

/** Pace at which a spread drain ends its connections. */
const DRAIN_STEP_MS = 50;

/** The TCP port: accepts, looks at the clock for all connections at once, and ends them when the service stops. */
export class PubSubServer implements Worker {
  readonly name = 'pubsub-tcp';
  private readonly connections = new Set<Connection>();
  /** Every socket, those that are refused or still shake hands included. */
  private readonly sockets = new Set<Socket>();
  private lastConnectionId = 0;
  private refusals = 0;
  private server: Server | undefined;
  private certificate: TlsCertificate | undefined;
  private sweeper: ReturnType<typeof setInterval> | undefined;
  private stopping: Promise<void> | undefined;
  private onEmpty: () => void = () => undefined;

  constructor(
    private readonly config: PubSubConfig,
    private readonly ports: PubSubPorts,
    /** Undefined: plain TCP. */
    private readonly openCertificate: (() => Promise<TlsCertificate>) | undefined,
  ) {}

  /** The port that it listens on. */
  get port(): number {
    const address = this.server?.address();
    return typeof address === 'object' && address !== null ? address.port : this.config.port;
  }

  /** @throws SluiceError `configuration` when the port is taken or a TLS file cannot be used */
  async start(): Promise<void> {
    const { host, port, maxConnections } = this.config;
    const { limits, signals } = this.ports;
    this.certificate = await this.openCertificate?.();
    const server = createListener(this.certificate, {
      raw: (socket) => this.track(socket),
      ready: (socket) => this.accept(socket),
      handshakeFailed: () => signals.protocolError('tls'),
    });
    if (this.stopping) {
      this.certificate?.close();
      return;
    }
    this.server = server;
    server.maxConnections = maxConnections + limits.refusals;
    await new Promise<void>((resolve, reject) => {
      server.once('error', (error) => reject(listenError(error, host, port, 'SLUICE_PUBSUB_PORT')));
      server.listen({ host, port }, resolve);
    });
    server.on('error', (error) => signals.fault(error));
    this.sweeper = setInterval(() => this.sweep(), limits.sweepMs);
  }

  /** Ends every connection with a word and FIN; those that do not close in time are destroyed. Idempotent. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private track(socket: Socket): void {
    this.sockets.add(socket);
    socket.once('close', () => this.sockets.delete(socket));
  }

  private accept(socket: Socket): void {
    if (this.connections.size >= this.config.maxConnections) return this.refuse(socket);
    const connection = new Connection(++this.lastConnectionId, socket, this.ports, (closed) => {
      this.connections.delete(closed);
      if (this.connections.size === 0) this.onEmpty();
    });
    this.connections.add(connection);
    if (this.stopping) connection.end(shuttingDown());
  }

  /** Its dialect is not known yet, and need not be: this line is an error in both. */
  private refuse(socket: Socket): void {
    const { limits, signals } = this.ports;
    signals.connectionRefused();
    socket.on('error', () => undefined);
    if (this.refusals >= limits.refusals) return void socket.destroy();
    this.refusals++;
    const timer = setTimeout(() => socket.destroy(), limits.lingerMs);
    socket.once('close', () => {
      this.refusals--;
      clearTimeout(timer);
    });
    socket.resume();
    socket.end(encodeLineError('too_many_connections The service has too many connections'));
  }

  private sweep(): void {
    const nowMs = performance.now();
    for (const connection of this.connections) {
      try {
        connection.sweep(nowMs);
      } catch (error) {
        this.ports.signals.fault(error);
        connection.destroy();
      }
    }
  }

  private async end(): Promise<void> {
    // Nothing waits for its callback: sockets that do not close are destroyed below.
    if (this.server?.listening) this.server.close();
    await this.endAll();
    await this.whenEmpty();
    for (const connection of this.connections) connection.destroy();
    for (const socket of this.sockets) socket.destroy();
    clearInterval(this.sweeper);
    this.certificate?.close();
  }

  /** All at once, or an equal share at each step of the spread. */
  private async endAll(): Promise<void> {
    const open = [...this.connections];
    const steps = Math.max(1, Math.ceil(this.config.drainSpreadMs / DRAIN_STEP_MS));
    const share = Math.ceil(open.length / steps);
    for (let step = 0, ended = 0; ended < open.length; step++) {
      if (step > 0) await pause(DRAIN_STEP_MS);
      for (const connection of open.slice(ended, ended + share)) connection.end(shuttingDown());
      ended += share;
    }
  }

  private async whenEmpty(): Promise<void> {
    if (this.connections.size === 0) return;
    let timer: ReturnType<typeof setTimeout> | undefined;
    await new Promise<void>((resolve) => {
      this.onEmpty = resolve;
      timer = setTimeout(resolve, this.ports.limits.stopGraceMs);
    });
    clearTimeout(timer);
  }
}

function shuttingDown(): SluiceError {
  return new SluiceError('shutting_down', 'The service is shutting down; resume from the last cursor');
}

function pause(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}
