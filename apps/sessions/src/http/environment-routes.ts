import { z } from 'zod';
import {
  createEnvironmentBody,
  environmentView,
  updateEnvironmentBody,
  type EnvironmentService,
} from '../environments/environment-service';
import { idField } from '../sessions/session-params';
import { archivablePageFields, partOf, toPage } from './document-pages';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';

const tag = 'environments';
const path = '/v1/environments/{environmentId}';
const params = z.object({ environmentId: idField });
const environmentSchema = z.looseObject({ id: z.string(), type: z.literal('environment'), name: z.string() });
const refusals = { 404: 'There is no such environment.' } as const;

export const environmentRoutes = {
  create: defineSdkRoute({
    method: 'POST',
    path: '/v1/environments',
    tag,
    summary: 'Make an environment',
    body: createEnvironmentBody,
    answer: environmentSchema,
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/environments',
    tag,
    summary: 'List environments, the newest first',
    query: archivablePageFields,
    answer: pageOf(environmentSchema),
  }),
  get: defineSdkRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read an environment',
    params,
    answer: environmentSchema,
    refusals,
  }),
  update: defineSdkRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Change an environment',
    description: 'What is not given stays; its type does not change. In `metadata` null removes a key.',
    params,
    body: updateEnvironmentBody,
    answer: environmentSchema,
    refusals,
    takesKey: false,
  }),
  delete: defineSdkRoute({
    method: 'DELETE',
    path,
    tag,
    summary: 'Delete an environment',
    description: 'Sessions that have it go on; no more are made in it.',
    params,
    answer: z.object({ id: z.string(), type: z.literal('environment_deleted') }),
    refusals,
    takesKey: false,
  }),
  archive: defineSdkRoute({
    method: 'POST',
    path: `${path}/archive`,
    tag,
    summary: 'Archive an environment',
    description: 'No more sessions are made in it; those that are there go on.',
    params,
    answer: environmentSchema,
    refusals,
    takesKey: false,
  }),
};

const LIST = 'environments';

export function openEnvironments(door: SdkDoor, service: EnvironmentService): void {
  door.on(environmentRoutes.create, async ({ workspaceId, body, repetition }) =>
    environmentView(await service.create(workspaceId, body, repetition)),
  );
  door.on(environmentRoutes.list, async ({ workspaceId, query }) =>
    toPage(LIST, await service.list(workspaceId, partOf(LIST, query)), environmentView),
  );
  door.on(environmentRoutes.get, async ({ workspaceId, params: { environmentId } }) =>
    environmentView(await service.get(workspaceId, environmentId)),
  );
  door.on(environmentRoutes.update, async ({ workspaceId, params: { environmentId }, body }) =>
    environmentView(await service.update(workspaceId, environmentId, body)),
  );
  door.on(environmentRoutes.delete, async ({ workspaceId, params: { environmentId } }) => {
    await service.delete(workspaceId, environmentId);
    return { id: environmentId, type: 'environment_deleted' };
  });
  door.on(environmentRoutes.archive, async ({ workspaceId, params: { environmentId } }) =>
    environmentView(await service.archive(workspaceId, environmentId)),
  );
}
