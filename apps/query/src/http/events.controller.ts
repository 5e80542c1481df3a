import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { authorise, type Principal } from '@sluice/access';
import { encodeCursor, SluiceError, type ReadModel } from '@sluice/event-log';
import {
  encodeEnvelope,
  eventFamilySchema,
  eventIdSchema,
  recordEnvelope,
  toCloudEvent,
  type RecordedEvent,
} from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EventPages, type EventPage } from '../event-pages';
import type { QuerySignals } from '../signals';
import { READ_MODEL, SIGNALS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { workspaceOf } from './caller';
import { entityField, instantField, limitField, orderField, startField, typesField, workspaceField } from './fields';
import { accepts, asType, CLOUD_EVENT_BATCH_TYPE, CLOUD_EVENT_TYPE, JSON_TYPE } from './json-answer';

/** A UUID may be asked for in either case; it is kept in lower case. */
export const eventPathSchema = z.object({ eventId: z.string().toLowerCase().pipe(eventIdSchema) });

export const eventsQuerySchema = z.strictObject({
  workspaceId: workspaceField,
  family: eventFamilySchema.optional(),
  entityId: entityField.optional(),
  types: typesField,
  since: instantField,
  until: instantField,
  order: orderField,
  cursor: startField,
  limit: limitField(),
});

/** Where the next page of an answer that has no room for it starts. */
export const NEXT_CURSOR_HEADER = 'x-next-cursor';
/** Why such an answer does not have all that came after the cursor. */
export const RESET_HEADER = 'x-reset';

/** `GET /v1/events` and `GET /v1/events/{eventId}`: recorded events of every family, as they are stored. */
@Controller('v1/events')
export class EventsController {
  constructor(
    @Inject(EventPages) private readonly pages: EventPages,
    @Inject(READ_MODEL) private readonly readModel: ReadModel,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Get()
  @AdmitsTo('reading')
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const principal = callerOf(request);
    const query = validate(eventsQuerySchema, request.query, 'query');
    const { family, entityId, types } = query;
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'read', { workspaceId, family, entityId });
    const page = await this.pages.read({
      filter: {
        workspaceIds: [workspaceId],
        ...(family !== undefined && { families: [family] }),
        ...(entityId !== undefined && { entityIds: [entityId] }),
        ...(types !== undefined && { types }),
      },
      start: query.cursor,
      order: query.order,
      limit: query.limit,
      occurredAfter: query.since,
      occurredBefore: query.until,
    });
    this.signals.read('generic', page.events.length);
    reply.header('vary', 'accept');
    return accepts(request.headers.accept, CLOUD_EVENT_BATCH_TYPE) ? cloudEvents(reply, page) : recorded(reply, page);
  }

  @Get(':eventId')
  @AdmitsTo('reading')
  async find(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const principal = callerOf(request);
    const { eventId: id } = validate(eventPathSchema, request.params, 'path');
    const event = (await this.readModel.findByIds([id])).get(id);
    // A foreign event is answered as one that does not exist: ids tell nothing about other workspaces.
    if (!event || !mayRead(principal, event)) throw new SluiceError('not_found', 'No such event', { where: 'path' });
    reply.header('vary', 'accept');
    if (accepts(request.headers.accept, CLOUD_EVENT_TYPE)) {
      return asType(reply, CLOUD_EVENT_TYPE, JSON.stringify(toCloudEvent(event)));
    }
    return asType(reply, JSON_TYPE, recordEnvelope(encodeEnvelope(event), event).json);
  }
}

/** The stored text of each event goes out as it is. */
function recorded(reply: FastifyReply, { events, head, next, reset }: EventPage): string {
  const list = events.map(({ json }) => json).join(',');
  const rest = next === undefined ? '' : `,"nextCursor":"${next}"`;
  const lost = reset === undefined ? '' : `,"reset":${JSON.stringify(reset)}`;
  return asType(reply, JSON_TYPE, `{"events":[${list}],"headCursor":"${encodeCursor(head)}"${rest}${lost}}`);
}

function cloudEvents(reply: FastifyReply, { events, next, reset }: EventPage): string {
  if (next !== undefined) reply.header(NEXT_CURSOR_HEADER, next);
  if (reset !== undefined) reply.header(RESET_HEADER, reset.reason);
  return asType(reply, CLOUD_EVENT_BATCH_TYPE, JSON.stringify(events.map(({ event }) => toCloudEvent(event))));
}

function mayRead(principal: Principal, event: RecordedEvent): boolean {
  try {
    authorise(principal, 'read', event);
    return true;
  } catch (error) {
    if (error instanceof SluiceError) return false;
    throw error;
  }
}
