import { Controller, Get, HttpCode, Inject, Post, Req } from '@nestjs/common';
import { authorise, type Principal } from '@sluice/access';
import type { ReadModel } from '@sluice/event-log';
import { workspaceIdSchema } from '@sluice/event-schema';
import { validate } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { MAX_REPLAYED_RECORDS, ParkedReplay, type ReplayReport } from '../admin/parked-replay';
import type { QuerySignals } from '../signals';
import { READ_MODEL, SIGNALS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { actorOf } from './caller';
import { limitField, wholeNumber, workspaceField } from './fields';
import { parkedView, type ParkedView } from './parked-view';

/** Fewer than of events: whole values are read, of whatever a foreign producer wrote. */
const MAX_PARKED_LIMIT = 100;

export const parkedQuerySchema = z.strictObject({
  workspaceId: workspaceField,
  after: wholeNumber(0, Number.MAX_SAFE_INTEGER).default(0),
  limit: limitField(MAX_PARKED_LIMIT),
});

const parkedIdSchema = z.int().min(1);
export const replaySchema = z.union(
  [
    z.strictObject({
      parkedIds: z.array(parkedIdSchema).min(1).max(MAX_REPLAYED_RECORDS),
      workspaceId: workspaceIdSchema.optional(),
    }),
    z.strictObject({
      all: z.literal(true),
      after: z.int().min(0).default(0),
      workspaceId: workspaceIdSchema.optional(),
    }),
  ],
  { error: `must be {"parkedIds":[1 to ${MAX_REPLAYED_RECORDS} ids]} or {"all":true}` },
);

/** `/v1/admin/parked`: records that could not become events, and putting them back. */
@Controller('v1/admin/parked')
export class AdminParkedController {
  constructor(
    @Inject(READ_MODEL) private readonly readModel: ReadModel,
    @Inject(ParkedReplay) private readonly replays: ParkedReplay,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Get()
  @AdmitsTo('administration')
  async list(@Req() request: FastifyRequest): Promise<{ parked: ParkedView[]; nextAfter?: number }> {
    const principal = callerOf(request);
    const { after, limit, ...query } = validate(parkedQuerySchema, request.query, 'query');
    const records = await this.readModel.parked.list({
      ...scopeOf(principal, query.workspaceId),
      afterId: after,
      limit,
    });
    const last = records.at(-1);
    return { parked: records.map(parkedView), ...(records.length === limit && last && { nextAfter: last.parkedId }) };
  }

  @Post('replay')
  @AdmitsTo('administration')
  @HttpCode(200)
  async replay(
    @Req() request: FastifyRequest,
  ): Promise<ReplayReport & { readonly replayed: number; readonly refused: number }> {
    const principal = callerOf(request);
    const body = validate(replaySchema, request.body, 'body');
    const { workspaceId } = scopeOf(principal, body.workspaceId);
    const report =
      'all' in body
        ? await this.replays.replayAll(body.after, workspaceId)
        : await this.replays.replayIds(body.parkedIds, workspaceId);
    const replayed = report.results.filter(({ outcome }) => outcome === 'replayed').length;
    const refused = report.results.length - replayed;
    this.signals.replayed(actorOf(principal), { replayed, refused });
    return { replayed, refused, ...report };
  }
}

/** The workspace that the caller may look at; an operator who names none sees all, also records of no known workspace. */
function scopeOf(principal: Principal, named: number | undefined): { workspaceId?: number } {
  const workspaceId = named ?? principal.workspaceId;
  authorise(principal, 'administer', { workspaceId });
  return workspaceId === null ? {} : { workspaceId };
}
