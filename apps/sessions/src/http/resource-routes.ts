import { z } from 'zod';
import { idField, resourceField } from '../sessions/session-params';
import type { SessionService } from '../sessions/session-service';
import { limitField, pageField } from './paging';
import { pageOfResources } from './resource-page';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { conflicting, noSession, pageOf, sessionPath } from './session-routes';

const tag = 'session resources';
const resourceSchema = z.looseObject({ id: z.string(), type: z.string() });
const path = '/v1/sessions/{sessionId}/resources/{resourceId}';
const params = sessionPath.extend({ resourceId: idField });

export const resourceRoutes = {
  add: defineSdkRoute({
    method: 'POST',
    path: '/v1/sessions/{sessionId}/resources',
    tag,
    summary: 'Give a resource to a session',
    params: sessionPath,
    body: resourceField,
    answer: resourceSchema,
    refusals: conflicting,
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/sessions/{sessionId}/resources',
    tag,
    summary: 'List the resources of a session',
    params: sessionPath,
    query: { limit: limitField(100, 100), page: pageField },
    answer: pageOf(resourceSchema),
    refusals: noSession,
  }),
  get: defineSdkRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read a resource',
    params,
    answer: resourceSchema,
    refusals: noSession,
  }),
  update: defineSdkRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Change the token of a repository',
    description: 'Tokens of repositories are kept encrypted and never shown. Refused where no key for that is set.',
    params,
    body: z.strictObject({ authorization_token: z.string().min(1).max(4_096) }),
    answer: resourceSchema,
    refusals: conflicting,
  }),
  delete: defineSdkRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Take a resource from a session',
    params,
    answer: z.object({ id: z.string(), type: z.literal('session_resource_deleted') }),
    refusals: conflicting,
  }),
};

export function openResources(door: SdkDoor, service: SessionService): void {
  door.on(resourceRoutes.add, ({ workspaceId, params: { sessionId }, body, repetition }) =>
    service.addResource({ workspaceId, sessionId, repetition }, body),
  );
  door.on(resourceRoutes.list, async ({ workspaceId, params: { sessionId }, query }) => {
    const { resources } = await service.load(workspaceId, sessionId);
    return pageOfResources(resources, query);
  });
  door.on(resourceRoutes.get, ({ workspaceId, params: { sessionId, resourceId } }) =>
    service.resource(workspaceId, sessionId, resourceId),
  );
  door.on(resourceRoutes.update, ({ workspaceId, params: { sessionId, resourceId }, body, repetition }) =>
    service.changeToken({ workspaceId, sessionId, repetition }, resourceId, body.authorization_token),
  );
  door.on(resourceRoutes.delete, ({ workspaceId, params: { sessionId, resourceId }, repetition }) =>
    service.removeResource({ workspaceId, sessionId, repetition }, resourceId),
  );
}
