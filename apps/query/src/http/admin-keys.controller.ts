import { Controller, Delete, Get, Inject, Post, Req } from '@nestjs/common';
import {
  authorise,
  issueApiKey,
  newApiKeySchema,
  summariseApiKey,
  type AccessControl,
  type ApiKeyStore,
  type ApiKeySummary,
} from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { QuerySignals } from '../signals';
import { ACCESS, API_KEYS, GATEKEEPER, SIGNALS } from '../tokens';
import { actorOf, workspaceOf } from './caller';
import { workspaceField } from './fields';
import { validate } from './validate';

const newKeySchema = newApiKeySchema.partial({ workspaceId: true, name: true });
const workspaceQuerySchema = z.strictObject({ workspaceId: workspaceField });
const keyPathSchema = z.object({ keyId: z.uuid() });

export interface CreatedKey {
  readonly keyId: string;
  /** The text of the key: it is shown here and never again. */
  readonly apiKey: string;
  readonly workspaceId: number | null;
  readonly role: string;
  readonly name: string;
  readonly expiresAt?: number | undefined;
}

/** `/v1/admin/keys`: the API keys of a workspace. */
@Controller('v1/admin/keys')
export class AdminKeysController {
  constructor(
    @Inject(GATEKEEPER) private readonly gatekeeper: HttpGatekeeper,
    @Inject(API_KEYS) private readonly store: ApiKeyStore,
    @Inject(ACCESS) private readonly access: AccessControl,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Post()
  async create(@Req() request: FastifyRequest): Promise<CreatedKey> {
    const principal = await this.gatekeeper.admit(request);
    const body = validate(newKeySchema, request.body, 'body');
    const workspaceId = workspaceOf(principal, body.workspaceId, 'body');
    authorise(principal, 'administer', { workspaceId });
    const { apiKey, record } = await issueApiKey(this.store, {
      ...body,
      workspaceId,
      name: body.name ?? `${body.role} key`,
    });
    this.signals.keyCreated(actorOf(principal), record);
    const { keyId, role, name, expiresAt } = record;
    return { keyId, apiKey, workspaceId, role, name, expiresAt };
  }

  @Get()
  async list(@Req() request: FastifyRequest): Promise<{ keys: ApiKeySummary[] }> {
    const principal = await this.gatekeeper.admit(request);
    const query = validate(workspaceQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'administer', { workspaceId });
    return { keys: (await this.store.list({ workspaceId })).map(summariseApiKey) };
  }

  @Delete(':keyId')
  async revoke(@Req() request: FastifyRequest): Promise<{ keyId: string; revoked: true }> {
    const principal = await this.gatekeeper.admit(request);
    const query = validate(workspaceQuerySchema, request.query, 'query');
    const workspaceId = query.workspaceId ?? principal.workspaceId;
    authorise(principal, 'administer', { workspaceId });
    const { keyId: text } = validate(keyPathSchema, request.params, 'path');
    const keyId = text.toLowerCase();
    const revoked = await this.store.revoke({ keyId, workspaceId: workspaceId ?? undefined });
    if (!revoked) throw new SluiceError('not_found', 'No such key, or it is revoked already', { where: 'path.keyId' });
    this.access.forgetApiKey(keyId);
    this.signals.keyRevoked(actorOf(principal), keyId);
    return { keyId, revoked };
  }
}
