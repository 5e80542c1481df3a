import { AGENT_SESSION_STATUSES, threadView } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import { z } from 'zod';
import type { Clock } from '../clock';
import { idField } from '../sessions/session-params';
import type { SessionService } from '../sessions/session-service';
import { limitField, listField, noFurtherPage, pageField } from './paging';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { conflicting, noSession, pageOf, sessionPath } from './session-routes';

const tag = 'threads';
const threadSchema = z.looseObject({ id: z.string(), type: z.literal('session_thread'), session_id: z.string() });
export const threadPath = sessionPath.extend({ threadId: idField });

export const threadRoutes = {
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/threads',
    tag,
    summary: 'List the threads of a session',
    description: 'A session has one thread, the primary one.',
    params: sessionPath,
    query: { limit: limitField(100, 100), page: pageField, 'statuses[]': listField(z.enum(AGENT_SESSION_STATUSES)) },
    answer: pageOf(threadSchema),
    refusals: noSession,
  }),
  get: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/threads/{threadId}',
    tag,
    summary: 'Read a thread',
    params: threadPath,
    answer: threadSchema,
    refusals: noSession,
  }),
  archive: defineSdkRoute({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/threads/{threadId}/archive',
    tag,
    summary: 'Archive a thread',
    description: 'The primary thread goes with its session, and is refused.',
    params: threadPath,
    answer: threadSchema,
    refusals: conflicting,
    takesKey: false,
  }),
};

export function openThreads(door: SdkDoor, service: SessionService, clock: Clock): void {
  door.on(threadRoutes.list, async ({ workspaceId, params, query }) => {
    if (query.page !== undefined) throw noFurtherPage();
    const state = await service.load(workspaceId, params.sessionId);
    const statuses = query['statuses[]'];
    const isShown = statuses === undefined || statuses.includes(state.status);
    return { data: isShown ? [threadView(state, clock.now())] : [], next_page: null };
  });
  door.on(threadRoutes.get, async ({ workspaceId, params }) =>
    threadView(await service.requireThread(workspaceId, params.sessionId, params.threadId), clock.now()),
  );
  door.on(threadRoutes.archive, async ({ workspaceId, params }) => {
    await service.requireThread(workspaceId, params.sessionId, params.threadId);
    throw new SluiceError('conflict', 'The primary thread is archived with its session');
  });
}
