import { cloudEventFromHeaders, cloudEventMode } from '@sluice/event-schema';
import type { FastifyRequest } from 'fastify';
import { readContext, single } from './append-request';
import { draftFromCloudEvent, draftsFromCloudEvents } from './cloud-event-drafts';
import { draftsFromNative, type DraftsOfRequest } from './event-drafts';
import type { EventsRoute } from './events-door';

/** `POST /events`: events of sandboxes, one, a batch, or CloudEvents in any of their three HTTP modes. */
export const sandboxRoute: EventsRoute = {
  path: '/events',
  // Who may write about which sandbox is known when the events are.
  assertMayAppend: () => undefined,
  readDrafts,
  describe: (event) => ({
    eventId: event.id,
    sandboxId: event.entityId,
    type: event.type,
    timestamp: event.occurredAt,
  }),
};

function readDrafts(request: FastifyRequest): DraftsOfRequest {
  const { headers, body } = request;
  const context = readContext(request);
  switch (cloudEventMode(headers['content-type'], single(headers['ce-specversion']))) {
    case 'structured':
      return { drafts: [draftFromCloudEvent(body, context)], batch: false };
    case 'binary':
      return { drafts: [draftFromCloudEvent(cloudEventFromHeaders(headers, body), context)], batch: false };
    case 'batch':
      return { drafts: draftsFromCloudEvents(body, context), batch: true };
    case 'none':
      return draftsFromNative(body, context);
  }
}
