import { Controller, Delete, Get, Inject, Post, Req } from '@nestjs/common';
import {
  authorise,
  issueApiKey,
  newApiKeySchema,
  summariseApiKey,
  type AccessControl,
  type ApiKeyStore,
  type ApiKeySummary,
  type Principal,
} from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyRequest } from 'fastify';
import { z } from 'zod';
import type { QuerySignals } from '../signals';
import { ACCESS, API_KEYS, SIGNALS } from '../tokens';
import { AdmitsTo, callerOf } from './admission';
import { actorOf, workspaceOf } from './caller';
import { workspaceField } from './fields';

export const newKeySchema = newApiKeySchema.partial({ workspaceId: true, name: true });
export const workspaceQuerySchema = z.strictObject({ workspaceId: workspaceField });
export const keyPathSchema = z.object({ keyId: z.uuid() });

export interface CreatedKey {
  readonly keyId: string;
  /** The text of the key: it is shown here and never again. */
  readonly apiKey: string;
  readonly workspaceId: number | null;
  readonly role: string;
  readonly name: string;
  readonly expiresAt?: number | undefined;
}

/** Most keys of a workspace that are in force at a time. */
export const MAX_KEYS_IN_FORCE = 1000;

/** `/v1/admin/keys`: the API keys of a workspace. */
@Controller('v1/admin/keys')
export class AdminKeysController {
  constructor(
    @Inject(API_KEYS) private readonly store: ApiKeyStore,
    @Inject(ACCESS) private readonly access: AccessControl,
    @Inject(SIGNALS) private readonly signals: QuerySignals,
  ) {}

  @Post()
  @AdmitsTo('administration')
  async create(@Req() request: FastifyRequest): Promise<CreatedKey> {
    const principal = callerOf(request);
    const body = validate(newKeySchema, request.body, 'body');
    const workspaceId = workspaceOf(principal, body.workspaceId, 'body');
    authorise(principal, 'administer', { workspaceId });
    const bounds = boundsOf(principal, body);
    const inForce = await this.store.countInForce({ workspaceId, nowMs: Date.now() });
    if (inForce >= MAX_KEYS_IN_FORCE) {
      throw new SluiceError('conflict', `The workspace has ${MAX_KEYS_IN_FORCE} keys in force: revoke one first`);
    }
    const { apiKey, record } = await issueApiKey(this.store, {
      role: body.role,
      name: body.name ?? `${body.role} key`,
      workspaceId,
      ...bounds,
    });
    this.signals.keyCreated(actorOf(principal), record);
    const { keyId, role, name, expiresAt } = record;
    return { keyId, apiKey, workspaceId, role, name, expiresAt };
  }

  @Get()
  @AdmitsTo('administration')
  async list(@Req() request: FastifyRequest): Promise<{ keys: ApiKeySummary[] }> {
    const principal = callerOf(request);
    const query = validate(workspaceQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'query');
    authorise(principal, 'administer', { workspaceId });
    return { keys: (await this.store.list({ workspaceId })).map(summariseApiKey) };
  }

  @Delete(':keyId')
  @AdmitsTo('administration')
  async revoke(@Req() request: FastifyRequest): Promise<{ keyId: string; revoked: true }> {
    const principal = callerOf(request);
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

type Bounds = Pick<z.output<typeof newKeySchema>, 'limits' | 'expiresAt'>;

/**
 * Limits and end of a new key. Nobody makes a key that may do more, or lives longer, than its own: only operators say
 * limits, everybody else passes theirs on.
 *
 * @throws SluiceError `forbidden`
 */
function boundsOf(principal: Principal, { limits, expiresAt }: Bounds): Bounds {
  if (principal.kind !== 'api_key') throw new SluiceError('forbidden', 'Access tokens make no keys');
  if (principal.role === 'operator') return { limits, expiresAt };
  if (limits !== undefined) throw beyondOwn('body.limits', 'only operators set limits');
  const own = principal.expiresAt;
  if (own !== undefined && expiresAt !== undefined && expiresAt > own) {
    throw beyondOwn('body.expiresAt', 'must not be later than the end of the key that makes it');
  }
  const ownLimits = Object.keys(principal.limits).length === 0 ? undefined : principal.limits;
  return { limits: ownLimits, expiresAt: expiresAt ?? own };
}

function beyondOwn(where: string, reason: string): SluiceError {
  return new SluiceError('forbidden', `${where}: ${reason}`, { where });
}
