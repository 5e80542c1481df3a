import { z } from 'zod';
import { createAgentBody, updateAgentBody } from '../agents/agent-body';
import { agentView, type AgentService } from '../agents/agent-service';
import { idField } from '../sessions/session-params';
import { archivablePageFields, pageFields, partOf, toPage } from './document-pages';
import { createdAtFields, timeRangeOf } from './paging';
import type { SdkDoor } from './sdk-door';
import { defineSdkRoute } from './sdk-route';
import { pageOf } from './session-routes';

const tag = 'agents';
const path = '/v1/agents/{agentId}';
const params = z.object({ agentId: idField });
const agentSchema = z.looseObject({ id: z.string(), type: z.literal('agent'), version: z.int() });
const refusals = { 404: 'There is no such agent, or it has no such version.' } as const;

export const agentRoutes = {
  create: defineSdkRoute({
    method: 'POST',
    path: '/v1/agents',
    tag,
    summary: 'Make an agent',
    description: 'A `metadata.engine` names the engine that works for it; without it the built-in one does.',
    body: createAgentBody,
    answer: agentSchema,
  }),
  list: defineSdkRoute({
    method: 'GET',
    path: '/v1/agents',
    tag,
    summary: 'List agents, the newest first',
    query: { ...archivablePageFields, ...createdAtFields },
    answer: pageOf(agentSchema),
  }),
  get: defineSdkRoute({
    method: 'GET',
    path,
    tag,
    summary: 'Read an agent, or a version of it',
    params,
    query: { version: z.coerce.number().int().min(1).optional() },
    answer: agentSchema,
    refusals,
  }),
  update: defineSdkRoute({
    method: 'POST',
    path,
    tag,
    summary: 'Change an agent',
    description:
      'Makes a version, unless nothing changes. What is given replaces what was, null clears it; in `metadata` null removes a key.',
    params,
    body: updateAgentBody,
    answer: agentSchema,
    refusals: { ...refusals, 409: 'It is in another version than `version` says.' },
  }),
  archive: defineSdkRoute({
    method: 'POST',
    path: `${path}/archive`,
    tag,
    summary: 'Archive an agent',
    description: 'No more sessions are made of it; those that are there go on.',
    params,
    answer: agentSchema,
    refusals,
    takesKey: false,
  }),
  listVersions: defineSdkRoute({
    method: 'GET',
    path: `${path}/versions`,
    tag,
    summary: 'List the versions of an agent, the newest first',
    params,
    query: pageFields,
    answer: pageOf(agentSchema),
    refusals,
  }),
};

const LIST = 'agents';
const VERSIONS = 'agent versions';

export function openAgents(door: SdkDoor, service: AgentService): void {
  door.on(agentRoutes.create, async ({ workspaceId, body, repetition }) =>
    agentView(await service.create(workspaceId, body, repetition)),
  );
  door.on(agentRoutes.list, async ({ workspaceId, query }) => {
    const { fromMs, upToMs } = timeRangeOf(query);
    const page = await service.list(workspaceId, {
      ...partOf(LIST, query),
      ...(fromMs !== undefined && { createdFromMs: fromMs }),
      ...(upToMs !== undefined && { createdUpToMs: upToMs }),
    });
    return toPage(LIST, page, agentView);
  });
  door.on(agentRoutes.get, async ({ workspaceId, params: { agentId }, query }) =>
    agentView(await service.get(workspaceId, agentId, query.version)),
  );
  door.on(agentRoutes.update, async ({ workspaceId, params: { agentId }, body, repetition }) =>
    agentView(await service.update(workspaceId, agentId, body, repetition)),
  );
  door.on(agentRoutes.archive, async ({ workspaceId, params: { agentId } }) =>
    agentView(await service.archive(workspaceId, agentId)),
  );
  door.on(agentRoutes.listVersions, async ({ workspaceId, params: { agentId }, query }) => {
    const { page, view } = await service.listVersions(workspaceId, agentId, partOf(VERSIONS, query));
    return toPage(VERSIONS, page, view);
  });
}
