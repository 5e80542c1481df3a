import { authorise } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { eventEnvelopeSchema } from '@sluice/event-schema';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import { commandIdOf, type CommandScope } from '../journal/command-scope';
import { keyedHeaders, type Call, type Route, type RouteAnswer } from './route';
import { validate } from './validate';

/** Largest body of a request: the longest text of an event, escaped, fits. */
export const MAX_BODY_BYTES = 1_048_576;

const traceparentSchema = eventEnvelopeSchema.shape.traceparent;

/** The way in: lets callers in, reads their requests, hands them over and answers. */
export class WorkspaceDoor {
  constructor(
    private readonly fastify: FastifyInstance,
    private readonly gatekeeper: HttpGatekeeper,
  ) {}

  on<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType>(
    route: Route<P, Q, B>,
    handle: (call: Call<P, Q, B>) => Promise<RouteAnswer>,
  ): void {
    this.fastify.route({
      method: route.operation.method,
      url: route.operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_BODY_BYTES,
      // Strangers are turned away before their body is read.
      onRequest: async (request) => {
        request.principal = await this.gatekeeper.admit(request, { loopback: true });
      },
      handler: async (request, reply) => {
        const { body, isPending = false } = await handle(readCall(route, request));
        reply.code(isPending ? 202 : route.status).type('application/json; charset=utf-8');
        return JSON.stringify(body);
      },
    });
  }
}

function readCall<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType>(
  route: Route<P, Q, B>,
  request: FastifyRequest,
): Call<P, Q, B> {
  const { principal } = request;
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
  const query = validate(route.query, request.query, 'query') as z.output<z.ZodObject<Q>> & { workspaceId?: number };
  const workspaceId = query.workspaceId ?? principal.workspaceId;
  if (workspaceId === null) {
    const where = 'query.workspaceId';
    throw new SluiceError('invalid_request', `${where}: an operator has to name a workspace`, { where });
  }
  authorise(principal, route.action, { workspaceId, family: 'workspace' });
  const params = validate(route.params, request.params, 'path');
  const body = readBody(route.body, request.body);
  return { scope: scopeOf(route, request, workspaceId, params, body), params, query, body };
}

function readBody<B extends z.ZodType>(schema: B | undefined, body: unknown): z.output<B> {
  if (schema) return validate(schema, body, 'body');
  const isEmpty = body == null || (typeof body === 'object' && Object.keys(body).length === 0);
  if (!isEmpty) throw new SluiceError('invalid_request', 'body: nothing is known here', { where: 'body' });
  return undefined as z.output<B>;
}

function scopeOf(
  { operation: { method, path } }: { readonly operation: { readonly method: string; readonly path: string } },
  { headers }: FastifyRequest,
  workspaceId: number,
  params: unknown,
  body: unknown,
): CommandScope {
  const key = keyedHeaders.shape['idempotency-key'].safeParse(headers['idempotency-key']);
  if (!key.success) {
    throw new SluiceError('invalid_request', 'Idempotency-Key must have 1 to 256 characters', {
      where: 'headers.idempotency-key',
    });
  }
  const traceparent = traceparentSchema.safeParse(headers['traceparent']);
  // The same key at another route, or of another thing, is another key.
  const scopedKey = key.data === undefined ? undefined : JSON.stringify([method, path, params, key.data]);
  return {
    workspaceId,
    key: scopedKey,
    ...(scopedKey !== undefined && { commandId: commandIdOf(workspaceId, scopedKey, body) }),
    traceparent: traceparent.success ? traceparent.data : undefined,
  };
}
