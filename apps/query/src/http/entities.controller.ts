import { Controller, Get, Inject, Req } from '@nestjs/common';
import { authorise } from '@sluice/access';
import type { SandboxReader } from '@sluice/engine';
import { SluiceError, type EntitySummary, type ReadModel } from '@sluice/event-log';
import { eventFamilySchema } from '@sluice/event-schema';
import type { SandboxActivity } from '@sluice/read-model';
import { validate } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { READ_MODEL, SANDBOXES } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { workspaceOf } from './caller';
import { entityField, limitField, workspaceField } from './fields';
import { decodePageToken, encodePageToken } from './page-token';

export const entitiesQuerySchema = z.strictObject({
  workspaceId: workspaceField,
  family: eventFamilySchema.optional(),
  cursor: z.string({ error: 'must be given once, as text' }).transform(decodePageToken).optional(),
  limit: limitField(),
});

const sandboxPathSchema = z.object({ sandboxId: entityField });
export const sandboxQuerySchema = z.strictObject({ workspaceId: workspaceField });

export interface EntityPage {
  readonly entities: readonly EntitySummary[];
  readonly nextCursor?: string;
}

/** `GET /v1/entities` and `GET /v1/sandboxes/{sandboxId}`: what events are about, and how far it has come. */
@Controller('v1')
export class EntitiesController {
  constructor(
    @Inject(READ_MODEL) private readonly readModel: ReadModel,
    @Inject(SANDBOXES) private readonly sandboxes: SandboxReader,
  ) {}

  @Get('entities')
  @AdmitsTo('reading')
  async list(@Req() request: FastifyRequest): Promise<EntityPage> {
    const principal = callerOf(request);
    const { family, cursor, limit, ...query } = validate(entitiesQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'read', { workspaceId });
    const found = await this.readModel.listEntities({
      workspaceId,
      // One more than is wanted tells whether there is a next page.
      limit: limit + 1,
      ...(family !== undefined && { family }),
      ...(cursor !== undefined && { after: cursor }),
    });
    const entities = found.slice(0, limit);
    const last = entities.at(-1);
    return { entities, ...(found.length > limit && last && { nextCursor: encodePageToken(last) }) };
  }

  @Get('sandboxes/:sandboxId')
  @AdmitsTo('reading')
  async find(@Req() request: FastifyRequest): Promise<SandboxActivity> {
    const principal = callerOf(request);
    const { sandboxId } = validate(sandboxPathSchema, request.params, 'path');
    const query = validate(sandboxQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'read', { workspaceId, family: 'sandbox', entityId: sandboxId });
    const activity = await this.sandboxes.find(workspaceId, sandboxId);
    if (!activity) throw new SluiceError('not_found', 'No such sandbox', { where: 'path.sandboxId' });
    return activity;
  }
}
