import { once } from 'node:events';
import { connect, createServer, type AddressInfo, type Server, type Socket } from 'node:net';

/** A port of this machine behind which the network is bad. */
export class BadNetwork {
  private constructor(
    private readonly server: Server,
    private readonly sockets: Set<Socket>,
    readonly endpoint: string,
  ) {}

  /** Takes connections and says nothing. */
  static silent(): Promise<BadNetwork> {
    return BadNetwork.listen(() => undefined);
  }

  /** Passes everything on until so many bytes came back over one connection, then cuts that. */
  static cutting(target: string, afterBytes: number): Promise<BadNetwork> {
    return BadNetwork.listen((near, keep) => {
      const far = keep(connect(Number(new URL(target).port), '127.0.0.1'));
      let leftBytes = afterBytes;
      near.pipe(far);
      far.on('data', (chunk) => {
        leftBytes -= chunk.byteLength;
        if (leftBytes > 0) near.write(chunk);
        else near.destroy();
      });
      far.on('close', () => near.destroy());
      near.on('close', () => far.destroy());
    });
  }

  private static async listen(
    onConnection: (near: Socket, keep: (socket: Socket) => Socket) => void,
  ): Promise<BadNetwork> {
    const sockets = new Set<Socket>();
    const keep = (socket: Socket) => {
      sockets.add(socket);
      socket.on('error', () => socket.destroy());
      return socket;
    };
    const server = createServer((near) => onConnection(keep(near), keep));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    const { port } = server.address() as AddressInfo;
    return new BadNetwork(server, sockets, `http://127.0.0.1:${port}`);
  }

  async end(): Promise<void> {
    for (const socket of this.sockets) socket.destroy();
    this.server.close();
    await once(this.server, 'close');
  }
}
