import type { Socket } from 'node:net';
import type { PubSubLimits } from './limits';

/** The writing side of one connection. Whatever is written is whole frames, so the stream always stands on a boundary. */
export class Output {
  /** When the last frame was written. */
  lastWriteMs = performance.now();
  /** Since when the socket has taken nothing; undefined while it takes. */
  blockedSinceMs: number | undefined;
  private readonly waiting = new Set<() => void>();

  constructor(
    private readonly socket: Socket,
    private readonly limits: Pick<PubSubLimits, 'joinedBytes'>,
    private readonly onSent: (bytes: number) => void,
  ) {
    socket.on('drain', () => this.drained());
  }

  /** Whether the peer has to read before more is written; who writes all the same adds to what waits in memory. */
  get isBlocked(): boolean {
    return this.socket.writableNeedDrain;
  }

  /** Writes frames, few system calls whatever their number. Nothing happens on a socket that is ended. */
  write(...frames: readonly Buffer[]): void {
    const { socket } = this;
    if (!socket.writable || frames.length === 0) return;
    const bytes = frames.reduce((sum, frame) => sum + frame.length, 0);
    this.lastWriteMs = performance.now();
    this.onSent(bytes);
    const [first] = frames;
    if (frames.length === 1 && first) {
      socket.write(first);
    } else if (bytes <= this.limits.joinedBytes) {
      socket.write(Buffer.concat(frames, bytes));
    } else {
      socket.cork();
      for (const frame of frames) socket.write(frame);
      socket.uncork();
    }
    if (socket.writableNeedDrain) this.blockedSinceMs ??= performance.now();
  }

  /** Calls back once when the peer has read. The first to wait is the first to write. */
  onceDrained(resume: () => void): void {
    this.waiting.add(resume);
  }

  /** Forgets who waits. */
  close(): void {
    this.waiting.clear();
  }

  private drained(): void {
    this.blockedSinceMs = undefined;
    const resumes = [...this.waiting];
    this.waiting.clear();
    for (const resume of resumes) resume();
  }
}
