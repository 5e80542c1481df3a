import { AGENT_SESSION_STATUSES, type SessionStore } from '@sluice/agent-sessions';
import { z } from 'zod';
import { createSessionBody, idField, updateSessionBody } from '../sessions/session-params';
import type { SessionService } from '../sessions/session-service';
import { createdAtFields, flagField, limitField, listField, orderField, pageField, timeRangeOf } from './paging';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOfSessions, sessionPlaceOf } from './session-pages';

const tag = 'sessions';
const DEFAULT_LIMIT = 20;
const MAX_LIMIT = 100;

export const sessionPath = z.object({ sessionId: idField });
export const sessionSchema = z.looseObject({
  id: z.string(),
  type: z.literal('session'),
  status: z.enum(AGENT_SESSION_STATUSES),
});
export const pageOf = <T extends z.ZodType>(item: T) =>
  z.object({ data: z.array(item), next_page: z.string().nullable() });
export const noSession = { 404: 'There is no such session.' } as const;
export const conflicting = { ...noSession, 409: 'Not in the present state of the session.' } as const;

const of = { tag, path: '/v1/sessions/{sessionId}', params: sessionPath } as const;

export const sessionRoutes = {
  create: defineSdkRoute({
    method: 'POST',
    path: '/v1/sessions',
    tag,
    summary: 'Make a session of an agent',
    body: createSessionBody,
    answer: sessionSchema,
    refusals: { 404: 'There is no such agent, environment, vault or file.' },
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions',
    tag,
    summary: 'List sessions, by creation',
    query: {
      limit: limitField(DEFAULT_LIMIT, MAX_LIMIT),
      order: orderField('desc'),
      page: pageField,
      agent_id: idField.optional(),
      agent_version: z.coerce.number().int().min(1).optional().meta({ description: 'Only with `agent_id`.' }),
      'statuses[]': listField(z.enum(AGENT_SESSION_STATUSES)),
      include_archived: flagField,
      deployment_id: idField.optional(),
      memory_store_id: idField.optional(),
      ...createdAtFields,
    },
    answer: pageOf(sessionSchema).extend({ prev_page: z.string().nullable() }),
  }),
  get: defineSdkRoute({ ...of, method: 'GET', summary: 'Read a session', answer: sessionSchema, refusals: noSession }),
  update: defineSdkRoute({
    ...of,
    method: 'POST',
    summary: 'Change a session',
    description: 'What is given replaces what was. In `metadata` null removes a key.',
    body: updateSessionBody,
    answer: sessionSchema,
    refusals: conflicting,
  }),
  archive: defineSdkRoute({
    ...of,
    method: 'POST',
    path: '/v1/sessions/{sessionId}/archive',
    summary: 'Archive a session',
    description: 'It takes nothing more; its history stays readable.',
    answer: sessionSchema,
    refusals: noSession,
  }),
  delete: defineSdkRoute({
    ...of,
    method: 'DELETE',
    summary: 'Delete a session',
    description: 'Its streams end. One that is running has to be interrupted first.',
    answer: z.object({ id: z.string(), type: z.literal('session_deleted') }),
    refusals: conflicting,
  }),
};

export function openSessions(door: SdkDoor, service: SessionService, store: Pick<SessionStore, 'list'>): void {
  door.on(sessionRoutes.create, ({ workspaceId, principal, body, repetition }) => {
    door.takeEvents(principal, body.initial_events?.length ?? 0);
    return service.create(workspaceId, body, repetition);
  });
  door.on(sessionRoutes.get, ({ workspaceId, params }) => service.get(workspaceId, params.sessionId));
  door.on(sessionRoutes.update, ({ workspaceId, params, body, repetition }) =>
    service.update({ workspaceId, sessionId: params.sessionId, repetition }, body),
  );
  door.on(sessionRoutes.archive, ({ workspaceId, params, repetition }) =>
    service.archive({ workspaceId, sessionId: params.sessionId, repetition }),
  );
  door.on(sessionRoutes.delete, ({ workspaceId, params, repetition }) =>
    service.delete({ workspaceId, sessionId: params.sessionId, repetition }),
  );
  door.on(sessionRoutes.list, async ({ workspaceId, query }) => {
    const { limit, order, page } = query;
    const place = page === undefined ? undefined : sessionPlaceOf(page, order);
    // No session here belongs to a deployment or has such a store.
    if (query.deployment_id !== undefined || query.memory_store_id !== undefined) {
      return { data: [], next_page: null, prev_page: null };
    }
    const { fromMs, upToMs } = timeRangeOf(query);
    const asked = {
      workspaceId,
      order,
      limit,
      includeArchived: query.include_archived,
      ...(query.agent_id !== undefined && { agentId: query.agent_id }),
      ...(query.agent_version !== undefined && { agentVersion: query.agent_version }),
      ...(query['statuses[]'] !== undefined && { statuses: query['statuses[]'] }),
      ...(fromMs !== undefined && { createdFromMs: fromMs }),
      ...(upToMs !== undefined && { createdUpToMs: upToMs }),
    };
    const { states, ...cursors } = await pageOfSessions(store, asked, place);
    return { data: states.map((state) => service.view(state)), ...cursors };
  });
}
