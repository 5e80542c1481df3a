import { authorise, type Principal } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { cloudEventMode, PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import type { FastifyRequest } from 'fastify';
import { readContext, single } from './append-request';
import { draftsFromRegistry } from './registry-drafts';
import type { DraftsOfRequest } from './event-drafts';
import type { EventsRoute } from './events-door';

/** `POST /v1/registry/events`: public events of the registries of agents, from operators. */
export const registryRoute: EventsRoute = {
  path: '/v1/registry/events',
  assertMayAppend,
  readDrafts,
  describe: (event) => ({ eventId: event.id, agentId: event.entityId, type: event.type, timestamp: event.occurredAt }),
};

/** @throws SluiceError `forbidden` for whoever is no operator: what everybody reads is the platform's to say. */
function assertMayAppend(principal: Principal): void {
  authorise(principal, 'append', { workspaceId: null });
  authorise(principal, 'append', { workspaceId: PUBLIC_WORKSPACE_ID, family: 'registry' });
}

function readDrafts(request: FastifyRequest): DraftsOfRequest {
  const { headers, body } = request;
  if (cloudEventMode(headers['content-type'], single(headers['ce-specversion'])) !== 'none') {
    throw new SluiceError('unsupported_media_type', 'Registry events are not taken as CloudEvents', {
      where: 'headers.content-type',
    });
  }
  return draftsFromRegistry(body, readContext(request));
}
