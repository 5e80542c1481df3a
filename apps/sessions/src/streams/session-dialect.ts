import type { FeedEvent } from '@sluice/delivery';
import type { SluiceError } from '@sluice/event-log';
import { eventFrames, type SseDialect } from '@sluice/event-streams';
import { toSessionPayload } from '@sluice/event-schema';
import { encodeComment, encodeEvent } from '@sluice/sse-protocol';
import { toSdkError } from '../http/sdk-errors';

const KEY = Symbol('sse: session events');

/** All events have this name: older versions of the SDK drop others. */
export const EVENT_NAME = 'message';

const NOTHING = Buffer.alloc(0);

function encodeSessionEvent({ event }: FeedEvent): Buffer {
  const payload = toSessionPayload(event.data);
  return encodeEvent({ id: String(payload['id']), event: EVENT_NAME, data: JSON.stringify(payload) });
}

/**
 * The stream of a session as the SDK reads it: `id` is the event's own id. An end that is no fault is an end and nothing
 * else; one after which events may be missing is an `error`, which the SDK throws.
 */
export const sessionDialect: SseDialect = {
  opening: ({ resetReason, at }) =>
    resetReason === undefined ? encodeComment('open') : sessionDialect.reset(resetReason, at),
  events: (events) => eventFrames(events, KEY, encodeSessionEvent),
  heartbeat: () => encodeComment('heartbeat'),
  reset: () => errorFrame('overloaded_error', 'Events are missing here; list them, and open a new stream'),
  end: (error) => (error.code === 'shutting_down' ? NOTHING : endOf(error)),
};

function endOf(error: SluiceError): Buffer {
  const { error: shown } = JSON.parse(toSdkError(error, '').body) as { error: { type: string; message: string } };
  return errorFrame(shown.type, shown.message);
}

function errorFrame(type: string, message: string): Buffer {
  return encodeEvent({ event: 'error', data: JSON.stringify({ type: 'error', error: { type, message } }) });
}
