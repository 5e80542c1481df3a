import { authorise, type Principal } from '@sluice/access';
import type { Operation } from '@sluice/api-description';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError, type ReadModelRebuilds } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { RebuildSignals } from '../rebuild/rebuild-signals';
import {
  abortRebuild,
  dropOldModel,
  noQuerySchema,
  readRebuild,
  rebuildRequestSchema,
  requestRebuild,
} from './operations';

/** No request to this app has a body worth more. */
const MAX_BODY_BYTES = 1_024;

export interface RebuildDoorPorts {
  readonly rebuilds: Pick<ReadModelRebuilds, 'request' | 'status' | 'abort' | 'dropOld'>;
  readonly signals: Pick<RebuildSignals, 'rebuildAsked'>;
}

/** `/v1/admin/rebuild`, for operators: asking for a rebuild, looking at it, ending it, and dropping what it left. */
export class RebuildDoor {
  constructor(
    private readonly ports: RebuildDoorPorts,
    private readonly gatekeeper: HttpGatekeeper,
  ) {}

  open(fastify: FastifyInstance): void {
    const { rebuilds, signals } = this.ports;
    this.on(fastify, requestRebuild, 202, async (request, actor) => {
      // A body may be left out: all that it says has a default.
      const asked = validate(rebuildRequestSchema, request.body ?? {}, 'body');
      const rebuild = await rebuilds.request(asked);
      signals.rebuildAsked('rebuild', actor);
      return { rebuild };
    });
    this.on(fastify, readRebuild, 200, async () => ({ rebuild: (await rebuilds.status()) ?? null }));
    this.on(fastify, abortRebuild, 202, async (_request, actor) => {
      const rebuild = await rebuilds.abort();
      signals.rebuildAsked('abort', actor);
      return { rebuild };
    });
    this.on(fastify, dropOldModel, 200, async (_request, actor) => {
      const dropped = await rebuilds.dropOld();
      signals.rebuildAsked('drop_old', actor);
      return { dropped };
    });
  }

  private on(
    fastify: FastifyInstance,
    operation: Operation,
    status: number,
    answer: (request: FastifyRequest, actor: string) => Promise<object>,
  ): void {
    fastify.route({
      method: operation.method,
      url: operation.path,
      bodyLimit: MAX_BODY_BYTES,
      // Strangers are turned away before their body is read.
      onRequest: async (request) => {
        request.principal = await this.gatekeeper.admit(request);
      },
      handler: async (request, reply) => {
        const { principal } = request;
        if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
        authorise(principal, 'administer', { workspaceId: null });
        validate(noQuerySchema, request.query, 'query');
        const body = await answer(request, actorOf(principal));
        reply.code(status).type('application/json; charset=utf-8');
        return JSON.stringify(body);
      },
    });
  }
}

function actorOf(principal: Principal): string {
  return principal.kind === 'api_key' ? principal.keyId : principal.kind;
}
