import type { Principal } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import type { CursorPlace, ErrorCode, SluiceError } from '@sluice/event-log';
import type { Command, ProtocolError } from '@sluice/resp-protocol';
import type { Gate } from './gate';
import type { PubSubLimits } from './limits';
import type { Output } from './output';
import type { PubSubSignals } from './signals';

/** What all connections share. */
export interface PubSubPorts {
  readonly feed: EventFeed;
  readonly gate: Gate;
  readonly limits: PubSubLimits;
  readonly signals: PubSubSignals;
}

/** What a session sees of its connection. */
export interface Wire {
  readonly connectionId: number;
  readonly remoteAddress: string;
  readonly output: Output;
  /** False as soon as the end has begun: what an answer was awaited for is not wanted any more. */
  readonly isOpen: boolean;
  /** Ends the connection with a word that says why. */
  end(error: SluiceError): void;
  /** Ends the connection at the peer's wish, after these last bytes. */
  quit(lastFrame: Buffer): void;
  /** Notes that a credential was not accepted. */
  authenticationFailed(code: ErrorCode): void;
  /** Notes a subscription. */
  subscribed(what: string): void;
}

/** One dialect's side of a connection. */
export interface Session {
  /** Undefined while nobody is admitted: such a connection is not kept for long. */
  readonly principal: Principal | undefined;
  /** Where the peer can resume without a gap; undefined without a subscription. */
  readonly place: CursorPlace | undefined;
  /** Answers one command. It neither throws nor rejects. */
  handle(command: Command): void | Promise<void>;
  /** The last words after bytes that could not be read. */
  encodeProtocolError(error: ProtocolError): Buffer;
  /** Keeps an idle subscriber's cursor fresh. */
  heartbeat(nowMs: number): void;
  /** Lets go of everything. */
  close(): void;
}
