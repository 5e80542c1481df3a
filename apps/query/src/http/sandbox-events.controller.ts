import { Controller, Get, Inject, Req, Res } from '@nestjs/common';
import { authorise } from '@sluice/access';
import { encodeCursor } from '@sluice/event-log';
import { toSandboxEvent } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { FastifyReply, FastifyRequest } from 'fastify';
import { z } from 'zod';
import { EventPages } from '../event-pages';
import type { QuerySignals } from '../signals';
import { SIGNALS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { workspaceOf } from './caller';
import {
  entityField,
  instantField,
  limitField,
  orderField,
  startField,
  typeField,
  typesField,
  workspaceField,
} from './fields';
import { asType, JSON_TYPE } from './json-answer';

export const sandboxPathSchema = z.object({ sandboxId: entityField });

export const sandboxEventsQuerySchema = z.strictObject({
  type: typeField,
  types: typesField,
  since: instantField,
  until: instantField,
  order: orderField,
  cursor: startField,
  limit: limitField(),
  workspaceId: workspaceField,
});

/** `GET /events/{sandboxId}`: the events of one sandbox, in the dialect of the sandbox clients. */
@Controller()
export class SandboxEventsController {
  constructor(
    @Inject(EventPages) private readonly pages: EventPages,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Get('events/:sandboxId')
  @AdmitsTo('reading')
  async read(@Req() request: FastifyRequest, @Res({ passthrough: true }) reply: FastifyReply): Promise<string> {
    const principal = callerOf(request);
    const { sandboxId } = validate(sandboxPathSchema, request.params, 'path');
    const query = validate(sandboxEventsQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'read', { workspaceId, family: 'sandbox', entityId: sandboxId });
    const types = [...(query.types ?? []), ...(query.type === undefined ? [] : [query.type])];
    const page = await this.pages.read({
      filter: {
        workspaceIds: [workspaceId],
        families: ['sandbox'],
        entityIds: [sandboxId],
        ...(types.length > 0 && { types }),
      },
      start: query.cursor,
      order: query.order,
      limit: query.limit,
      occurredAfter: query.since,
      occurredBefore: query.until,
    });
    const { epoch } = page.head;
    const events = page.events.map(({ event }) => ({
      ...toSandboxEvent(event),
      cursor: encodeCursor({ epoch, position: event.position }),
    }));
    this.signals.read('sandbox', events.length);
    const data = { sandboxId, events, count: events.length, nextCursor: page.next, reset: page.reset };
    return asType(reply, JSON_TYPE, JSON.stringify({ success: true, data }));
  }
}
