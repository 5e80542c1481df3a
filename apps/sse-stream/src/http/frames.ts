import type { FeedEvent } from '@sluice/delivery';
import { encodeCursor, type CursorPlace, type ResetReason, type SluiceError } from '@sluice/event-log';
import { encodeComment, encodeCursorMark, encodeEvent, encodeJsonEvent } from '@sluice/sse-protocol';

/** Names the bytes of an event at this door: made once, written to every subscriber. */
const DIALECT = Symbol('sse');

const encodeFeedEvent = (event: FeedEvent): Buffer => encodeJsonEvent(event.cursor, event.event.type, event.json);

/** Events as frames, in one piece. */
export function eventFrames(events: readonly FeedEvent[]): Buffer {
  const frames = events.map((event) => event.encoded(DIALECT, encodeFeedEvent));
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

/** The named event `reset`: what follows begins after the cursor in it. */
export function resetFrame(reason: ResetReason, at: CursorPlace): Buffer {
  const cursor = encodeCursor(at);
  return encodeEvent({ id: cursor, event: 'reset', data: JSON.stringify({ reason, cursor }) });
}

/** The named event `end`: the last one of a stream that did not end by the client's will. */
export function endFrame(error: SluiceError, at: CursorPlace): Buffer {
  const cursor = encodeCursor(at);
  const data = JSON.stringify({ code: error.code, message: error.message, retryable: error.retryable, cursor });
  return encodeEvent({ id: cursor, event: 'end', data });
}
