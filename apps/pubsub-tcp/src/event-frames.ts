import type { Dialect, FeedEvent } from '@sluice/delivery';
import { encodeCursor, type CursorPlace, type ResetReason } from '@sluice/event-log';
import { toSandboxEvent } from '@sluice/event-schema';
import { encodeBulk, encodeEventLine, encodePush, encodeSimple, type RespVersion } from '@sluice/resp-protocol';
import { channelOf } from './channel';

const LINE: Dialect = Symbol('line');
const PAYLOAD: Dialect = Symbol('resp payload');
const CHANNEL: Dialect = Symbol('resp channel');
const PREFIXED_CHANNEL: Dialect = Symbol('resp prefixed channel');
const CRLF_BYTES = 2;
const NOTHING = Buffer.alloc(0);

/** The event as one line of JSON with CRLF; the same Buffer for every subscriber. */
export function lineFrame(event: FeedEvent): Buffer {
  return event.encoded(LINE, encodeLine);
}

/** The event as a bulk string, to follow a header; the same Buffer for every subscriber of either RESP version. */
export function payloadFrame(event: FeedEvent): Buffer {
  return event.encoded(PAYLOAD, encodePayload);
}

/** The channel of the event as patterns see it, as a bulk string; the same Buffer for every subscriber. */
export function channelFrame(event: FeedEvent, isPrefixed: boolean): Buffer {
  return event.encoded(isPrefixed ? PREFIXED_CHANNEL : CHANNEL, ({ event: { entityId } }) =>
    encodeBulk(channelOf(entityId, isPrefixed)),
  );
}

/** What a payload of this channel has in front of it. */
export function messageHeader(version: RespVersion, channel: string): Buffer {
  return encodePush(version, [encodeBulk('message'), encodeBulk(channel), NOTHING]);
}

/** What the channel and the payload of a message for this pattern have in front of them. */
export function patternMessageHeader(version: RespVersion, pattern: string): Buffer {
  return encodePush(version, [encodeBulk('pmessage'), encodeBulk(pattern), NOTHING, NOTHING]);
}

/** `+RESET <cursor> <reason>` */
export function resetLine(at: CursorPlace, reason: ResetReason): Buffer {
  return encodeSimple(`RESET ${encodeCursor(at)} ${reason}`);
}

/** The payload that tells a RESP subscriber of a reset; unlike an event it has no `id`. */
export function resetPayload(at: CursorPlace, reason: ResetReason): Buffer {
  return encodeBulk(JSON.stringify({ reset: { cursor: encodeCursor(at), reason } }));
}

function encodeLine(event: FeedEvent): Buffer {
  return encodeEventLine(JSON.stringify({ ...toSandboxEvent(event.event), cursor: event.cursor }));
}

function encodePayload(event: FeedEvent): Buffer {
  return encodeBulk(lineFrame(event).subarray(0, -CRLF_BYTES));
}
