import { authorise, type Principal } from '@sluice/access';
import type { Operation } from '@sluice/api-description';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance, FastifyRequest } from 'fastify';

/** No request to this app has a body worth more, unless its door says so. */
const MAX_BODY_BYTES = 1_024;

export interface OperatorRoute {
  readonly operation: Operation;
  /** Of the answer. */
  readonly status: number;
  readonly maxBodyBytes?: number;
  /** Looks at the request and answers it; `actor` names who asks. */
  readonly answer: (request: FastifyRequest, actor: string) => Promise<object>;
}

/** A route for operators alone. Strangers are turned away before their body is read, and others before anything is looked at. */
export function openOperatorRoute(
  fastify: FastifyInstance,
  gatekeeper: HttpGatekeeper,
  { operation, status, maxBodyBytes = MAX_BODY_BYTES, answer }: OperatorRoute,
): void {
  fastify.route({
    method: operation.method,
    url: operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
    bodyLimit: maxBodyBytes,
    onRequest: async (request) => {
      request.principal = await gatekeeper.admit(request);
    },
    handler: async (request, reply) => {
      const { principal } = request;
      if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
      authorise(principal, 'administer', { workspaceId: null });
      const body = await answer(request, actorOf(principal));
      reply.code(status).type('application/json; charset=utf-8');
      return JSON.stringify(body);
    },
  });
}

function actorOf(principal: Principal): string {
  return principal.kind === 'api_key' ? principal.keyId : principal.kind;
}
