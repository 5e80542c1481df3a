import type { FeedEvent } from '@sluice/delivery';
import { encodeCursor, type CursorPlace, type SluiceError } from '@sluice/event-log';
import { encodeComment, encodeCursorMark, encodeEvent } from '@sluice/sse-protocol';

/** Where a stream begins. */
export interface StreamBeginning {
  /** What the client is told to wait before it connects again. */
  readonly retryMs: number;
  /** The first event comes after it. */
  readonly at: CursorPlace;
  /** Why the cursor that the client sent could not be honoured; absent when it was, or when there was none. */
  readonly resetReason?: string | undefined;
}

/**
 * How one door writes its stream. An event's bytes are made once for all subscribers of the door (`FeedEvent.encoded`);
 * nothing in them may depend on the subscriber. No frame is ever named `error`: EventSource would take it for a fault of
 * the connection.
 */
export interface SseDialect {
  opening(beginning: StreamBeginning): Buffer;
  /** At least one event, in position order. */
  events(events: readonly FeedEvent[]): Buffer;
  /** Everything that the subscriber is to get up to `at` has been written. */
  heartbeat(at: CursorPlace): Buffer;
  /** What follows begins after `at`. */
  reset(reason: string, at: CursorPlace): Buffer;
  /** The last frame of a stream that did not end by the client's will; resuming from `at` continues. */
  end(error: SluiceError, at: CursorPlace): Buffer;
}

/** The frames of events in one piece. `key` and `encode` are constants of a module. */
export function eventFrames(events: readonly FeedEvent[], key: symbol, encode: (event: FeedEvent) => Buffer): Buffer {
  const frames = events.map((event) => event.encoded(key, encode));
  return frames.length === 1 && frames[0] ? frames[0] : Buffer.concat(frames);
}

/** Tells the client where it is, without an event. */
export function cursorFrame(at: CursorPlace): Buffer {
  return encodeCursorMark(encodeCursor(at));
}

/** A comment for proxies, and the newest cursor for the client. */
export function heartbeatFrame(at: CursorPlace): Buffer {
  return Buffer.concat([encodeComment('heartbeat'), cursorFrame(at)]);
}

/** Fields that a dialect adds to the data of a word of the server. */
export type MoreFields = Readonly<Record<string, unknown>>;

/** The named event `reset`: what follows begins after the cursor in it. */
export function resetFrame(reason: string, at: CursorPlace, more: MoreFields = {}): Buffer {
  const cursor = encodeCursor(at);
  return encodeEvent({ id: cursor, event: 'reset', data: JSON.stringify({ ...more, reason, cursor }) });
}

/** The named event `end`: the last one. */
export function endFrame(error: SluiceError, at: CursorPlace, more: MoreFields = {}): Buffer {
  const cursor = encodeCursor(at);
  const { code, message, retryable } = error;
  return encodeEvent({ id: cursor, event: 'end', data: JSON.stringify({ ...more, code, message, retryable, cursor }) });
}
