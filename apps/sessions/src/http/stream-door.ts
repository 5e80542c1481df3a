import type { SessionDeltas } from '@sluice/agent-sessions';
import {
  decodeCursor,
  SluiceError,
  toPosition,
  type CursorPlace,
  type RecordedEventReader,
  type StartPlace,
} from '@sluice/event-log';
import { PREVIEWED_SESSION_EVENT_TYPES, SESSION_EVENT_TYPES, sessionEventIdSchema } from '@sluice/event-schema';
import { StreamOpener, type StreamPorts, type WriteBeside } from '@sluice/event-streams';
import type { SessionEvents } from '@sluice/projections';
import { z } from 'zod';
import type { SessionService } from '../sessions/session-service';
import { sessionDialect } from '../streams/session-dialect';
import { SessionPreviews } from '../streams/session-previews';
import type { SessionStreamSignals } from '../streams/stream-signals';
import { listField } from './paging';
import { ANSWERED, type SdkCall, type SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { noSession, sessionPath } from './session-routes';
import { threadPath } from './thread-routes';

const HEADERS = {
  'content-type': 'text/event-stream; charset=utf-8',
  'cache-control': 'no-store, no-transform',
  'x-accel-buffering': 'no',
} as const;

const streamQuery = {
  'event_deltas[]': listField(z.enum(PREVIEWED_SESSION_EVENT_TYPES)).meta({
    description: 'Of events of these types also `event_start` and `event_delta`, while they are made.',
  }),
};

const description =
  'What happens from now on; with `Last-Event-ID` first what was stored after that event. It ends when the session is deleted, or this process stops.';

export const streamRoutes = {
  session: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/events/stream',
    tag: 'session events',
    summary: 'Stream the events of a session',
    description,
    params: sessionPath,
    query: streamQuery,
    action: 'stream',
    answer: 'stream',
    refusals: noSession,
  }),
  thread: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/threads/{threadId}/stream',
    tag: 'threads',
    summary: 'Stream the events of a thread',
    description,
    params: threadPath,
    query: streamQuery,
    action: 'stream',
    answer: 'stream',
    refusals: noSession,
  }),
};

export interface SessionStreamPorts extends StreamPorts {
  readonly service: SessionService;
  readonly events: Pick<SessionEvents, 'find'>;
  readonly reader: Pick<RecordedEventReader, 'head'>;
  readonly deltas: SessionDeltas;
  readonly signals: SessionStreamSignals;
  readonly heartbeatMs: number;
}

type StreamCall = Pick<
  SdkCall<typeof sessionPath, typeof streamQuery, z.ZodUndefined>,
  'workspaceId' | 'principal' | 'params' | 'query' | 'request' | 'reply'
>;

export function openStreams(door: SdkDoor, ports: SessionStreamPorts): void {
  const { service, events, reader, deltas, signals, heartbeatMs } = ports;
  const opener = new StreamOpener(ports);

  const open = async (
    { workspaceId, principal, params: { sessionId }, query: { 'event_deltas[]': previewed = [] }, reply }: StreamCall,
    start: StartPlace,
  ): Promise<typeof ANSWERED> => {
    const previews = previewed.length > 0 ? new SessionPreviews(new Set(previewed), signals) : undefined;
    await opener.open(
      {
        principal,
        filter: {
          workspaceIds: [workspaceId],
          families: ['session'],
          entityIds: [sessionId],
          types: SESSION_EVENT_TYPES,
        },
        start,
        dialect: previews?.dialect(sessionDialect) ?? sessionDialect,
        headers: HEADERS,
        heartbeatMs,
        isLast: ({ event }) => event.type === 'session.deleted',
        ...(previews && {
          beside: (write: WriteBeside) => previews.follow(deltas, { workspaceId, sessionId }, write),
        }),
      },
      reply,
    );
    return ANSWERED;
  };

  /**
   * The end of what is recorded, not of what this replica has shown yet: else what is past would come. It is read before
   * the session is looked up, so that a deletion after that look is seen by the stream.
   */
  async function startOf({ workspaceId, params: { sessionId }, request }: StreamCall): Promise<StartPlace> {
    const lastEventId = request.headers['last-event-id'];
    if (lastEventId === undefined || lastEventId === '') return reader.head();
    const where = 'headers.last-event-id';
    const id = sessionEventIdSchema.safeParse(lastEventId);
    const event = id.success ? await events.find(workspaceId, sessionId, id.data) : undefined;
    if (event) return { epoch: (await reader.head()).epoch, position: toPosition(event.position) };
    const place = placeOf(lastEventId);
    if (!place) throw new SluiceError('invalid_request', `${where}: the session has no such event`, { where });
    return place;
  }

  door.on(
    streamRoutes.session,
    async (call) => {
      const start = await startOf(call);
      await service.load(call.workspaceId, call.params.sessionId);
      return open(call, start);
    },
    { longLived: true },
  );
  door.on(
    streamRoutes.thread,
    async (call) => {
      const start = await startOf(call);
      await service.requireThread(call.workspaceId, call.params.sessionId, call.params.threadId);
      return open(call, start);
    },
    { longLived: true },
  );
}

/** The place that the head of an answer named, where there is no event yet to go on from. */
function placeOf(text: string | string[]): CursorPlace | undefined {
  try {
    return decodeCursor(String(text));
  } catch {
    return undefined;
  }
}
