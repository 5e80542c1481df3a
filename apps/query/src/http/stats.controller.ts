import { Controller, Get, Inject, Req } from '@nestjs/common';
import { authorise } from '@sluice/access';
import { encodeCursor, type ReadModel } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import { ProjectionLag, type LagReport } from '../admin/projection-lag';
import { READ_MODEL } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { workspaceField } from './fields';

export const statsQuerySchema = z.strictObject({ workspaceId: workspaceField });
const noQuerySchema = z.strictObject({});

export interface Stats {
  /** Null when an operator asked for no workspace in particular. */
  readonly workspaceId: number | null;
  readonly head: { readonly position: number; readonly cursor: string };
  /** Of the whole platform, for operators: parked records that were not replayed, and records not projected yet. */
  readonly parkedRecords?: number;
  readonly lagEvents?: number;
}

/** `GET /v1/stats` and `GET /v1/admin/lag`: how far everything is. */
@Controller('v1')
export class StatsController {
  constructor(
    @Inject(READ_MODEL) private readonly readModel: ReadModel,
    @Inject(ProjectionLag) private readonly lag: ProjectionLag,
  ) {}

  @Get('stats')
  @AdmitsTo('reading')
  async stats(@Req() request: FastifyRequest): Promise<Stats> {
    const principal = callerOf(request);
    const query = validate(statsQuerySchema, request.query, 'query');
    const workspaceId = query.workspaceId ?? principal.workspaceId;
    authorise(principal, 'read', { workspaceId });
    const head = await this.readModel.head();
    const stats = { workspaceId, head: { position: head.position, cursor: encodeCursor(head) } };
    if (principal.workspaceId !== null) return stats;
    const [parkedRecords, lag] = await Promise.all([this.readModel.parked.count(), this.lag.measure()]);
    return { ...stats, parkedRecords, lagEvents: lag.events };
  }

  @Get('admin/lag')
  @AdmitsTo('administration')
  async lanes(@Req() request: FastifyRequest): Promise<LagReport> {
    const principal = callerOf(request);
    authorise(principal, 'administer', { workspaceId: null });
    validate(noQuerySchema, request.query, 'query');
    return this.lag.measure();
  }
}
