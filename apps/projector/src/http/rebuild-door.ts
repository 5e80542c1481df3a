import type { HttpGatekeeper } from '@sluice/engine';
import type { ReadModelRebuilds } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { RebuildSignals } from '../rebuild/rebuild-signals';
import { openOperatorRoute, type OperatorRoute } from './operator-route';
import {
  abortRebuild,
  dropOldModel,
  noQuerySchema,
  readRebuild,
  rebuildRequestSchema,
  requestRebuild,
} from './operations';

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
    const on = (operation: OperatorRoute['operation'], status: number, answer: OperatorRoute['answer']) =>
      openOperatorRoute(fastify, this.gatekeeper, {
        operation,
        status,
        answer: (request, actor) => {
          validate(noQuerySchema, request.query, 'query');
          return answer(request, actor);
        },
      });
    on(requestRebuild, 202, async (request, actor) => {
      // A body may be left out: all that it says has a default.
      const asked = validate(rebuildRequestSchema, request.body ?? {}, 'body');
      const rebuild = await rebuilds.request(asked);
      signals.rebuildAsked('rebuild', actor);
      return { rebuild };
    });
    on(readRebuild, 200, async () => ({ rebuild: (await rebuilds.status()) ?? null }));
    on(abortRebuild, 202, async (_request, actor) => {
      const rebuild = await rebuilds.abort();
      signals.rebuildAsked('abort', actor);
      return { rebuild };
    });
    on(dropOldModel, 200, async (_request, actor) => {
      const dropped = await rebuilds.dropOld();
      signals.rebuildAsked('drop_old', actor);
      return { dropped };
    });
  }
}
