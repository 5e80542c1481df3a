import { LISTABLE_SESSION_EVENT_TYPES } from '@sluice/event-schema';
import type { SessionEvents } from '@sluice/projections';
import { z } from 'zod';
import { idField } from '../sessions/session-params';
import type { SessionService } from '../sessions/session-service';
import {
  createdAtFields,
  decodePage,
  encodePage,
  limitField,
  listField,
  MAX_PAGE_SIZE,
  orderField,
  pageField,
  timeRangeOf,
  type PageOrder,
} from './paging';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { conflicting, noSession, pageOf, sessionPath } from './session-routes';

const tag = 'session events';
const LIST = 'events';

const eventSchema = z.looseObject({ id: z.string(), type: z.string(), processed_at: z.string().nullable() });
const placeSchema = z.tuple([z.int().min(0)]);

const listQuery = {
  limit: limitField(MAX_PAGE_SIZE),
  order: orderField('asc'),
  page: pageField,
  'types[]': listField(z.enum(LISTABLE_SESSION_EVENT_TYPES)),
  ...createdAtFields,
};

export const eventRoutes = {
  send: defineSdkRoute({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/events',
    tag,
    summary: 'Send events to a session',
    description: 'All of them are taken, or none. Answered when they are in the log and can be listed.',
    params: sessionPath,
    body: z.strictObject({ events: z.array(z.unknown()).min(1).max(MAX_PAGE_SIZE) }),
    answer: z.object({ data: z.array(eventSchema) }),
    refusals: conflicting,
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/events',
    tag,
    summary: 'List the events of a session',
    description: '`created_at[…]` is compared with `processed_at`.',
    params: sessionPath,
    query: listQuery,
    answer: pageOf(eventSchema),
    refusals: noSession,
  }),
  listOfThread: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/threads/{threadId}/events',
    tag: 'threads',
    summary: 'List the events of a thread',
    params: sessionPath.extend({ threadId: idField }),
    query: listQuery,
    answer: pageOf(eventSchema),
    refusals: noSession,
  }),
};

type ListQuery = z.output<typeof eventRoutes.list.query>;

export function openEvents(door: SdkDoor, service: SessionService, events: SessionEvents): void {
  door.on(eventRoutes.send, async ({ workspaceId, principal, params, body, repetition }) => {
    door.takeEvents(principal, body.events.length);
    return { data: await service.send({ workspaceId, sessionId: params.sessionId, repetition }, body.events) };
  });
  door.on(eventRoutes.list, async ({ workspaceId, params, query }) => {
    await service.load(workspaceId, params.sessionId);
    return listEvents(events, workspaceId, params.sessionId, query);
  });
  door.on(eventRoutes.listOfThread, async ({ workspaceId, params, query }) => {
    await service.requireThread(workspaceId, params.sessionId, params.threadId);
    return listEvents(events, workspaceId, params.sessionId, query);
  });
}

async function listEvents(events: SessionEvents, workspaceId: number, sessionId: string, query: ListQuery) {
  const { limit, order, page } = query;
  const types = query['types[]'];
  const { fromMs, upToMs } = timeRangeOf(query);
  const found = await events.list({
    workspaceId,
    sessionId,
    order,
    limit,
    ...afterOf(page, order),
    ...(types !== undefined && { types }),
    ...(fromMs !== undefined && { processedFromMs: fromMs }),
    ...(upToMs !== undefined && { processedUpToMs: upToMs }),
  });
  return {
    data: found.events.map(({ payload }) => payload),
    next_page: found.next === undefined ? null : encodePage(LIST, order, [found.next]),
  };
}

function afterOf(page: string | undefined, order: PageOrder): { readonly after?: number } {
  if (page === undefined) return {};
  const [after] = decodePage(page, LIST, order, placeSchema);
  return { after };
}
