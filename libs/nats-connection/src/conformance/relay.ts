import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port that leads to a server as soon as it is opened; before that nobody listens on it. */
export class Relay {
  private readonly server: Server;
  private readonly sockets = new Set<Socket>();

  private constructor(
    private readonly target: URL,
    private readonly port: number,
  ) {
    this.server = createServer((inbound) => {
      const outbound = connect(Number(this.target.port), this.target.hostname);
      for (const [from, to] of [
        [inbound, outbound],
        [outbound, inbound],
      ] as const) {
        this.sockets.add(from);
        from.on('error', () => to.destroy());
        from.once('close', () => to.destroy());
        from.pipe(to);
      }
    });
  }

  static async prepare(targetUrl: string): Promise<Relay> {
    const finder = createServer();
    await new Promise<void>((done) => finder.listen(0, '127.0.0.1', done));
    const { port } = finder.address() as AddressInfo;
    await new Promise((done) => finder.close(done));
    return new Relay(new URL(targetUrl), port);
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  open(): Promise<void> {
    return new Promise((done, fail) => this.server.once('error', fail).listen(this.port, '127.0.0.1', done));
  }

  async close(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    await new Promise((done) => this.server.close(done));
  }
}
