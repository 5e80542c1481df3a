import net from 'node:net';
import tls from 'node:tls';
import { until } from './until';

/** One connection of a client, seen from the server. */
export class Peer {
  readonly lines: string[] = [];
  closed = false;
  private rest = '';
  private read = 0;

  constructor(readonly socket: net.Socket) {
    socket.on('data', (chunk: Buffer) => {
      this.rest += chunk.toString();
      const parts = this.rest.split('\r\n');
      this.rest = parts.pop() ?? '';
      this.lines.push(...parts);
    });
    socket.on('error', () => undefined);
    socket.on('close', () => {
      this.closed = true;
    });
  }

  /** The next line of the client that was not yet asked for. */
  async line(): Promise<string> {
    const index = this.read;
    this.read += 1;
    await until(`line ${index} of the client`, () => this.lines.length > index);
    return this.lines[index] ?? '';
  }

  /** Writes lines, each ended by CRLF. */
  send(...lines: string[]): void {
    this.socket.write(lines.map((line) => `${line}\r\n`).join(''));
  }

  write(text: string | Buffer): void {
    this.socket.write(text);
  }

  /** Orderly close. */
  fin(text = ''): void {
    this.socket.end(text);
  }

  /** RST. */
  reset(): void {
    this.socket.resetAndDestroy();
  }
}

/** A real TCP (or TLS) server whose connections a test drives line by line. */
export class ScriptedLineServer {
  readonly peers: Peer[] = [];
  onPeer: (peer: Peer) => void = () => undefined;
  private taken = 0;
  private readonly server: net.Server;

  constructor(tlsOptions?: tls.TlsOptions) {
    const accept = (socket: net.Socket): void => {
      const peer = new Peer(socket);
      this.peers.push(peer);
      this.onPeer(peer);
    };
    this.server = tlsOptions === undefined ? net.createServer(accept) : tls.createServer(tlsOptions, accept);
  }

  async start(): Promise<void> {
    await new Promise<void>((resolve) => {
      this.server.listen(0, '127.0.0.1', resolve);
    });
  }

  get port(): number {
    return (this.server.address() as net.AddressInfo).port;
  }

  /** The next connection that was not yet asked for. */
  async peer(): Promise<Peer> {
    const index = this.taken;
    this.taken += 1;
    await until(`connection ${index}`, () => this.peers.length > index);
    const peer = this.peers[index];
    if (peer === undefined) throw new Error('no such connection');
    return peer;
  }

  async stop(): Promise<void> {
    for (const { socket } of this.peers) socket.destroy();
    await new Promise((resolve) => {
      this.server.close(resolve);
    });
  }
}

/** The line of an event; its cursor is `c<n>`. */
export function eventLine(n: number, data: Record<string, unknown> = { n }): string {
  return JSON.stringify({
    id: `e${n}`,
    sandboxId: 'sandbox-123',
    workspaceId: 1,
    type: 'custom',
    data,
    timestamp: 1_700_000_000_000 + n,
    cursor: `c${n}`,
  });
}
