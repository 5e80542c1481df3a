import { SluiceError, toPosition, type RecordedEventReader, type StartPlace } from '@sluice/event-log';
import { SESSION_EVENT_TYPES, sessionEventIdSchema } from '@sluice/event-schema';
import { StreamOpener, type StreamPorts } from '@sluice/event-streams';
import type { SessionEvents } from '@sluice/projections';
import { z } from 'zod';
import type { SessionService } from '../sessions/session-service';
import { sessionDialect } from '../streams/session-dialect';
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

const streamQuery = { 'event_deltas[]': listField(z.enum(['agent.message', 'agent.thinking'])) };

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
  readonly heartbeatMs: number;
}

type StreamCall = Pick<
  SdkCall<typeof sessionPath, Record<never, never>, z.ZodUndefined>,
  'workspaceId' | 'principal' | 'params' | 'request' | 'reply'
>;

export function openStreams(door: SdkDoor, ports: SessionStreamPorts): void {
  const { service, events, reader, heartbeatMs } = ports;
  const opener = new StreamOpener(ports);

  const open = async ({
    workspaceId,
    principal,
    params: { sessionId },
    request,
    reply,
  }: StreamCall): Promise<typeof ANSWERED> => {
    const start = await startOf(workspaceId, sessionId, request.headers['last-event-id']);
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
        dialect: sessionDialect,
        headers: HEADERS,
        heartbeatMs,
        isLast: ({ event }) => event.type === 'session.deleted',
      },
      reply,
    );
    return ANSWERED;
  };

  async function startOf(workspaceId: number, sessionId: string, lastEventId: unknown): Promise<StartPlace> {
    if (lastEventId === undefined || lastEventId === '') return 'latest';
    const where = 'headers.last-event-id';
    const id = sessionEventIdSchema.safeParse(lastEventId);
    const event = id.success ? await events.find(workspaceId, sessionId, id.data) : undefined;
    if (!event) throw new SluiceError('invalid_request', `${where}: the session has no such event`, { where });
    const { epoch } = await reader.head();
    return { epoch, position: toPosition(event.position) };
  }

  door.on(
    streamRoutes.session,
    async (call) => {
      await service.load(call.workspaceId, call.params.sessionId);
      return open(call);
    },
    { longLived: true },
  );
  door.on(
    streamRoutes.thread,
    async (call) => {
      await service.requireThread(call.workspaceId, call.params.sessionId, call.params.threadId);
      return open(call);
    },
    { longLived: true },
  );
}
