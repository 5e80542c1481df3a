import type { CloseReason } from './close-codes';
import type { SocketOutput } from './socket-output';

/** What a session sees of its connection. */
export interface Wire {
  readonly output: SocketOutput;
  /** False as soon as the end has begun: what an answer was awaited for is not wanted any more. */
  readonly isOpen: boolean;
  /** Closes the connection. */
  end(reason: CloseReason): void;
  /** Closes the connection by a fault of ours. */
  failed(error: unknown): void;
  /** Counts a message that was understood. */
  understood(type: string): void;
  /** Counts a message that was not; too many in succession close the connection. */
  misunderstood(): void;
}

/** One door's side of a connection. */
export interface Session {
  /** Before the first message is handled. It neither throws nor rejects. */
  start(): void | Promise<void>;
  /** Answers one text message. It neither throws nor rejects. */
  handle(text: string): void | Promise<void>;
  /** From time to time, while the peer reads: keeps cursors fresh. */
  heartbeat(): void;
  /** The last words, if the server ends the connection. */
  ending(reason: CloseReason): void;
  /** Lets go of everything. */
  close(): void;
}
