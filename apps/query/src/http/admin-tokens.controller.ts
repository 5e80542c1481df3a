import { Controller, Inject, Post, Req } from '@nestjs/common';
import { authorise, mintRequestSchema, type AccessControl, type MintedToken } from '@sluice/access';
import { validate } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import type { QuerySignals } from '../signals';
import { ACCESS, SIGNALS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { actorOf, workspaceOf } from './caller';

export const tokenRequestSchema = mintRequestSchema.partial({ workspaceId: true });

/** `POST /v1/admin/tokens`: an access token for one sandbox. */
@Controller('v1/admin/tokens')
export class AdminTokensController {
  constructor(
    @Inject(ACCESS) private readonly access: AccessControl,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Post()
  @AdmitsTo('administration')
  async mint(@Req() request: FastifyRequest): Promise<MintedToken> {
    const principal = callerOf(request);
    const body = validate(tokenRequestSchema, request.body, 'body');
    const workspaceId = workspaceOf(principal, body.workspaceId, 'body');
    authorise(principal, 'administer', { workspaceId });
    const { accessToken, expiresAt } = await this.access.mintAccessToken({ ...body, workspaceId });
    this.signals.tokenMinted(actorOf(principal), { workspaceId, sandboxId: body.sandboxId, expiresAt });
    return { accessToken, expiresAt };
  }
}
