import type { Server } from 'node:http';
import { createServer, type Server as NetServer, type Socket } from 'node:net';
import { Server as TlsServer, type TLSSocket } from 'node:tls';
import type { MetricsRegistry } from './metrics';
import { METRIC_NAMES } from './signals';

/** Every connection of a server, by whichever of its ports it came: counted together, against one bound. */
export class Connections {
  private readonly open = new Set<Socket>();
  /** With TLS, what HTTP is read from once hands are shaken, by the peer of its connection. */
  private readonly secured = new Map<string, TLSSocket>();
  private readonly aliases: NetServer[] = [];
  private readonly countDropped: () => void;
  private isClosing = false;

  constructor(
    private readonly server: Server,
    private readonly maxConnections: number,
    metrics: MetricsRegistry,
  ) {
    const dropped = metrics.counter({
      name: METRIC_NAMES.httpConnectionsDroppedTotal,
      help: 'Connections closed at once because there were too many',
    });
    this.countDropped = () => dropped.inc();
    server.maxConnections = maxConnections;
    server.on('drop', this.countDropped);
    server.on('connection', (socket: Socket) => this.count(socket));
    server.on('secureConnection', (socket: TLSSocket) => this.secure(socket));
  }

  /** Listens on a further address, whose connections are served as those of the server's own. Gives the real port. */
  async listen(address: { readonly host: string; readonly port: number }): Promise<number> {
    const alias = createServer({ allowHalfOpen: true, noDelay: true }, (socket) =>
      this.server.emit('connection', socket),
    );
    await new Promise<void>((resolve, reject) => {
      alias.once('error', reject);
      alias.listen({ ...address }, () => {
        alias.off('error', reject);
        resolve();
      });
    });
    this.aliases.push(alias);
    const bound = alias.address();
    // It was told to close while it was not listening yet.
    if (this.isClosing) alias.close();
    return typeof bound === 'object' && bound !== null ? bound.port : address.port;
  }

  /** Stops listening on the further addresses. Resolves when every connection that came by them is gone. */
  async closeAliases(): Promise<void> {
    this.isClosing = true;
    await Promise.all(
      // A second close fails because the first is under way or done: that is what is waited for.
      this.aliases.map((alias) => new Promise<void>((resolve) => alias.close(() => resolve()))),
    );
  }

  /** Closes those by which nothing was ever said: nobody waits at them, and the server does not take them for idle. */
  closeUnused(): void {
    const isTls = this.server instanceof TlsServer;
    for (const socket of this.open) {
      const source = isTls ? this.secured.get(peerOf(socket)) : socket;
      if (source === undefined || source.bytesRead === 0) socket.destroy();
    }
  }

  /** Told of again when its connection is handed back after an upgrade that nobody took. */
  private count(socket: Socket): void {
    if (this.open.has(socket)) return;
    if (this.open.size >= this.maxConnections) {
      this.countDropped();
      socket.destroy();
      return;
    }
    this.open.add(socket);
    socket.once('close', () => this.open.delete(socket));
  }

  private secure(socket: TLSSocket): void {
    const peer = peerOf(socket);
    this.secured.set(peer, socket);
    socket.once('close', () => {
      if (this.secured.get(peer) === socket) this.secured.delete(peer);
    });
  }
}

function peerOf({ remoteAddress, remotePort, localPort }: Socket): string {
  return `${remoteAddress} ${remotePort} ${localPort}`;
}
