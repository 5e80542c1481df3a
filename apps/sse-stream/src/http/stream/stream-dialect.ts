import type { FeedEvent } from '@sluice/delivery';
import { encodeJsonEvent, encodeRetry } from '@sluice/sse-protocol';
import { cursorFrame, endFrame, eventFrames, heartbeatFrame, resetFrame, type SseDialect } from '@sluice/event-streams';

const KEY = Symbol('sse: recorded events');

const encodeRecorded = (event: FeedEvent): Buffer => encodeJsonEvent(event.cursor, event.event.type, event.json);

/** `/v1/stream`: recorded events as they are. */
export const streamDialect: SseDialect = {
  opening: ({ retryMs, at, resetReason }) =>
    Buffer.concat([encodeRetry(retryMs), resetReason === undefined ? cursorFrame(at) : resetFrame(resetReason, at)]),
  events: (events) => eventFrames(events, KEY, encodeRecorded),
  heartbeat: heartbeatFrame,
  reset: (reason, at) => resetFrame(reason, at),
  end: (error, at) => endFrame(error, at),
};
