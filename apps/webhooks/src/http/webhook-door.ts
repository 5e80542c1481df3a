import { authorise, type Action, type Principal } from '@sluice/access';
import type { Operation } from '@sluice/api-description';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import { toEventFilter, type EndpointState, type WebhookFilter } from '@sluice/webhook-delivery';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { EndpointService } from '../endpoint-service';
import type { OwnerAction, WebhookSignals } from '../signals';
import * as operations from './operations';
import * as requests from './schemas';
import { viewEndpoint, viewPing } from './views';

/** Largest body of a request, in bytes: a filter with all the values that it may have. */
const MAX_BODY_BYTES = 128 * 1024;

interface Call {
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
  readonly principal: Principal;
}

/** `/v1/webhooks`: what an application says of where it is told of events. */
export class WebhookDoor {
  constructor(
    private readonly endpoints: EndpointService,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly signals: WebhookSignals,
  ) {}

  open(fastify: FastifyInstance): void {
    const on = (operation: Operation, answer: (call: Call) => Promise<object>) => this.on(fastify, operation, answer);
    on(operations.createEndpoint, (call) => this.create(call));
    on(operations.listEndpoints, (call) => this.list(call));
    on(operations.readEndpoint, async (call) => {
      const { workspaceId, endpointId } = aimOf(call, 'read');
      return viewFor(call, await this.endpoints.find(workspaceId, endpointId));
    });
    on(operations.changeEndpoint, (call) => this.change(call));
    on(operations.removeEndpoint, async (call) => {
      const aim = aimOf(call, 'append');
      await this.endpoints.remove(aim.workspaceId, aim.endpointId);
      this.did('removed', aim, call);
      return { endpointId: aim.endpointId, deleted: true };
    });
    on(operations.rotateSecret, async (call) => {
      const aim = aimOf(call, 'append');
      const { secret, state } = await this.endpoints.rotateSecret(aim.workspaceId, aim.endpointId);
      this.did('secret_rotated', aim, call);
      const { secrets, updatedAt } = state.endpoint;
      return { endpointId: aim.endpointId, secret, previousSecretUntil: secrets.previous?.until ?? updatedAt };
    });
    on(operations.testEndpoint, async (call) => {
      const aim = aimOf(call, 'append');
      const entry = await this.endpoints.ping(aim.workspaceId, aim.endpointId);
      this.signals.attempted('ping', entry.outcome, entry.durationMs ?? 0);
      this.did('tested', aim, call);
      return viewPing(entry);
    });
    on(operations.retryEndpoint, async (call) => {
      const aim = aimOf(call, 'append');
      const state = await this.endpoints.retry(aim.workspaceId, aim.endpointId);
      this.did('retried', aim, call);
      return viewEndpoint(state, true);
    });
    on(operations.skipHead, async (call) => {
      const aim = aimOf(call, 'append');
      const state = await this.endpoints.skip(aim.workspaceId, aim.endpointId);
      this.did('skipped', aim, call);
      return viewEndpoint(state, true);
    });
    on(operations.redeliverEvents, async (call) => {
      const aim = aimOf(call, 'append');
      const { eventIds } = validate(requests.redeliverSchema, call.request.body, 'body');
      const answer = await this.endpoints.redeliver(aim.workspaceId, aim.endpointId, eventIds);
      this.did('redelivered', aim, call);
      return answer;
    });
    on(operations.cancelReplays, async (call) => {
      const aim = aimOf(call, 'append');
      const cancelled = await this.endpoints.cancelReplays(aim.workspaceId, aim.endpointId);
      this.did('replay_cancelled', aim, call);
      return { cancelled };
    });
    on(operations.listDeadLetters, (call) => this.deadLetters(call));
    on(operations.replayDeadLetters, async (call) => {
      const aim = aimOf(call, 'append');
      const body = validate(requests.replaySchema, call.request.body, 'body');
      const ids = 'all' in body ? 'all' : body.deadLetterIds;
      const waiting = await this.endpoints.replay(aim.workspaceId, aim.endpointId, ids);
      this.did('replayed', aim, call);
      return { waiting };
    });
  }

  private async create(call: Call): Promise<object> {
    const { workspaceId: named } = validate(requests.workspaceQuerySchema, call.request.query, 'query');
    const workspaceId = workspaceOf(call.principal, named, 'append');
    const { enabled, cursor, ...body } = validate(requests.newEndpointSchema, call.request.body, 'body');
    assertMaySee(call.principal, workspaceId, body.filter);
    const createdByKeyId = keyIdOf(call.principal);
    const wanted = { ...body, isEnabled: enabled, start: cursor, createdByKeyId };
    const { state, secret } = await this.endpoints.create(workspaceId, wanted);
    this.did('created', state.endpoint, call);
    call.reply.code(201);
    return { ...viewEndpoint(state, true), secret };
  }

  private async list(call: Call): Promise<object> {
    const { request, principal } = call;
    const query = validate(requests.endpointsQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'read');
    // One more than is wanted tells whether there is a next page.
    const states = await this.endpoints.list({ workspaceId, after: query.after, limit: query.limit + 1 });
    const webhooks = states.slice(0, query.limit);
    return {
      webhooks: webhooks.map((state) => viewFor(call, state)),
      ...(states.length > query.limit && { nextAfter: webhooks.at(-1)?.endpoint.endpointId }),
    };
  }

  private async change(call: Call): Promise<object> {
    const aim = aimOf(call, 'append');
    const { enabled, cursor, ...body } = validate(requests.changedEndpointSchema, call.request.body, 'body');
    if (body.filter) assertMaySee(call.principal, aim.workspaceId, body.filter);
    const state = await this.endpoints.change(aim.workspaceId, aim.endpointId, {
      ...body,
      isEnabled: enabled,
      start: cursor,
    });
    this.did('changed', aim, call);
    return viewEndpoint(state, true);
  }

  private async deadLetters({ request, principal }: Call): Promise<object> {
    const query = validate(requests.deadLettersQuerySchema, request.query, 'query');
    const workspaceId = workspaceOf(principal, query.workspaceId, 'read');
    const { endpointId } = validate(requests.endpointPathSchema, request.params, 'path');
    const { before, limit } = query;
    const letters = await this.endpoints.deadLetters({ workspaceId, endpointId, before, limit: limit + 1 });
    const deadLetters = letters.slice(0, limit).map(({ notice: _, ...letter }) => letter);
    return { deadLetters, ...(letters.length > limit && { nextBefore: deadLetters.at(-1)?.deadLetterId }) };
  }

  private did(
    action: OwnerAction,
    endpoint: { readonly endpointId: string; readonly workspaceId: number },
    { principal }: Call,
  ): void {
    this.signals.owner(action, endpoint, keyIdOf(principal));
  }

  private on(fastify: FastifyInstance, operation: Operation, answer: (call: Call) => Promise<object>): void {
    fastify.route({
      method: operation.method,
      url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_BODY_BYTES,
      // Strangers are turned away before their body is read.
      onRequest: async (request) => {
        request.principal = await this.gatekeeper.admit(request);
      },
      handler: async (request, reply) => {
        const { principal } = request;
        if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
        const body = await answer({ request, reply, principal });
        reply.type('application/json; charset=utf-8');
        return JSON.stringify(body);
      },
    });
  }
}

function keyIdOf(principal: Principal): string {
  return principal.kind === 'api_key' ? principal.keyId : principal.kind;
}

function viewFor({ principal }: Call, state: EndpointState): object {
  return viewEndpoint(state, mayWrite(principal, state.endpoint.workspaceId));
}

function mayWrite(principal: Principal, workspaceId: number): boolean {
  try {
    authorise(principal, 'append', { workspaceId });
    return true;
  } catch {
    return false;
  }
}

/** The endpoint that a request is about, of a workspace in which the caller may do this. */
function aimOf({ request, principal }: Call, action: Action): { workspaceId: number; endpointId: string } {
  const query = validate(requests.workspaceQuerySchema, request.query, 'query');
  const workspaceId = workspaceOf(principal, query.workspaceId, action);
  const { endpointId } = validate(requests.endpointPathSchema, request.params, 'path');
  return { workspaceId, endpointId };
}

/** @throws SluiceError `invalid_request`, `unauthorized`, `forbidden` */
function workspaceOf(principal: Principal, named: number | undefined, action: Action): number {
  const workspaceId = named ?? principal.workspaceId;
  if (workspaceId === null) {
    const where = 'query.workspaceId';
    throw new SluiceError('invalid_request', `${where}: an operator has to name a workspace`, { where });
  }
  authorise(principal, action, { workspaceId });
  return workspaceId;
}

/** Whether the caller may stream what it wants to be sent: nobody sees more by a webhook than by a stream (G8). */
function assertMaySee(principal: Principal, workspaceId: number, filter: WebhookFilter): void {
  const { workspaceIds } = toEventFilter(workspaceId, filter);
  for (const id of workspaceIds) {
    if (id === workspaceId) authorise(principal, 'stream', { workspaceId });
    else authorise(principal, 'stream', { workspaceId: id, family: 'registry' });
  }
}
