import type { FeedEvent } from '@sluice/delivery';
import { toWorkspacePayload, type WorkspaceFormat } from '@sluice/event-schema';
import { encodeComment, encodeJsonEvent, encodeRetry } from '@sluice/sse-protocol';
import { cursorFrame, endFrame, eventFrames, heartbeatFrame, resetFrame, type SseDialect } from '@sluice/event-streams';

/** `/api/events`: workspace events by the names and with the fields of their document, or of the public gateway. */
export const workspaceDialects: Readonly<Record<WorkspaceFormat, SseDialect>> = {
  document: workspaceDialect('document'),
  core: workspaceDialect('core'),
  envelope: workspaceDialect('envelope'),
};

function workspaceDialect(format: WorkspaceFormat): SseDialect {
  const key = Symbol(`sse: workspace events, ${format}`);
  const encode = ({ cursor, event }: FeedEvent): Buffer => {
    const { name, data } = toWorkspacePayload(event, format);
    return encodeJsonEvent(cursor, name, JSON.stringify(data));
  };
  return {
    // The comment is what makes proxies and clients see the stream begin.
    opening: ({ retryMs, at, resetReason }) =>
      Buffer.concat([
        encodeRetry(retryMs),
        encodeComment('open'),
        resetReason === undefined ? cursorFrame(at) : resetFrame(resetReason, at),
      ]),
    events: (events) => eventFrames(events, key, encode),
    heartbeat: heartbeatFrame,
    reset: (reason, at) => resetFrame(reason, at),
    end: (error, at) => endFrame(error, at),
  };
}
