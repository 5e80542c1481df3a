import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A wire between a client and the service that can be cut. */
export class CuttableProxy {
  private readonly sockets = new Set<Socket>();

  private constructor(private readonly server: Server) {}

  static async start(targetPort: number): Promise<CuttableProxy> {
    const proxy = new CuttableProxy(createServer());
    proxy.server.on('connection', (near) => {
      const far = connect(targetPort, '127.0.0.1');
      near.pipe(far);
      far.pipe(near);
      for (const socket of [near, far]) {
        proxy.sockets.add(socket);
        socket.on('error', () => undefined);
        socket.on('close', () => proxy.sockets.delete(socket));
      }
    });
    proxy.server.listen(0, '127.0.0.1');
    await new Promise((resolve) => proxy.server.once('listening', resolve));
    return proxy;
  }

  get port(): number {
    return (this.server.address() as AddressInfo).port;
  }

  /** Ends all that is open: by FIN, or by RST. */
  cut(how: 'fin' | 'rst'): void {
    for (const socket of this.sockets) {
      if (how === 'fin') socket.end();
      else socket.resetAndDestroy();
    }
  }

  stop(): void {
    this.cut('rst');
    this.server.close();
  }
}
