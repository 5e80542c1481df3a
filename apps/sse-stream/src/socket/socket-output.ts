import type { Duplex } from 'node:stream';
import { WebSocket } from 'ws';
import type { SocketLimits } from './limits';

/** The writing side of one connection. What waits for the peer is bounded by who asks `isBlocked` before it writes. */
export class SocketOutput {
  /** Since when nothing has left although something waits; undefined while nothing waits. */
  stalledSinceMs: number | undefined;
  private readonly waiting = new Set<() => void>();
  private readonly onSent = () => this.moved();

  constructor(
    private readonly webSocket: WebSocket,
    /** What the WebSocket writes to. */
    private readonly transport: Duplex,
    private readonly limits: Pick<SocketLimits, 'outputBytes' | 'joinedBytes'>,
    private readonly onWritten: (bytes: number) => void,
  ) {}

  /** Whether the peer has to read before more is written; who writes all the same adds to what waits in memory. */
  get isBlocked(): boolean {
    return this.webSocket.bufferedAmount >= this.limits.outputBytes;
  }

  /** One message of one or more pieces. Nothing happens when the connection is closing. */
  writeMessage(...pieces: readonly Buffer[]): void {
    const { limits, webSocket } = this;
    if (webSocket.readyState !== WebSocket.OPEN) return;
    const bytes = pieces.reduce((sum, piece) => sum + piece.length, 0);
    const [only] = pieces;
    this.stalledSinceMs ??= performance.now();
    this.onWritten(bytes);
    if (only && pieces.length === 1) this.send(only, true);
    else if (bytes <= limits.joinedBytes) this.send(Buffer.concat(pieces, bytes), true);
    else this.atOnce(() => pieces.forEach((piece, n) => this.send(piece, n === pieces.length - 1)));
  }

  writeText(text: string): void {
    this.writeMessage(Buffer.from(text));
  }

  /** Messages, few system calls whatever their number. */
  writeMessages(messages: readonly Buffer[]): void {
    this.atOnce(() => messages.forEach((message) => this.writeMessage(message)));
  }

  /** Calls back once when the peer has read. The first to wait is the first to write. */
  onceDrained(resume: () => void): void {
    this.waiting.add(resume);
  }

  /** Forgets who waits. */
  close(): void {
    this.waiting.clear();
  }

  private atOnce(write: () => void): void {
    this.transport.cork();
    try {
      write();
    } finally {
      this.transport.uncork();
    }
  }

  private send(piece: Buffer, isLast: boolean): void {
    this.webSocket.send(piece, { binary: false, compress: false, fin: isLast }, this.onSent);
  }

  /** A piece has left. Nothing else tells that the peer reads: what comes from it may go on while it reads nothing. */
  private moved(): void {
    this.stalledSinceMs = this.webSocket.bufferedAmount > 0 ? performance.now() : undefined;
    if (this.isBlocked) return;
    const resumes = [...this.waiting];
    this.waiting.clear();
    for (const resume of resumes) resume();
  }
}
