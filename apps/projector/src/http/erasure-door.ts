import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError, type DurableLog, type Erasures, type ErasureStatus } from '@sluice/event-log';
import { validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyRequest } from 'fastify';
import type { ErasureSignals } from '../erasure/erasure-signals';
import { LEFT_OVER } from '../erasure/left-over';
import {
  abandonErasure,
  erasurePathSchema,
  erasureRequestSchema,
  erasuresQuerySchema,
  listErasures,
  readErasure,
  requestErasure,
} from './erasure-operations';
import { noQuerySchema } from './operations';
import { openOperatorRoute } from './operator-route';

/** A request names at most so many fields, each of a bounded length. */
const MAX_BODY_BYTES = 64 * 1024;

export interface ErasureDoorPorts {
  readonly erasures: Pick<Erasures, 'request' | 'find' | 'list' | 'abandon'>;
  readonly durableLog: Pick<DurableLog, 'erasure'>;
  readonly signals: Pick<ErasureSignals, 'erasureAsked' | 'erasureAbandoned'>;
}

/** `/v1/admin/erasures`, for operators: asking for an erasure, looking at what was asked for, and abandoning it. */
export class ErasureDoor {
  constructor(
    private readonly ports: ErasureDoorPorts,
    private readonly gatekeeper: HttpGatekeeper,
  ) {}

  open(fastify: FastifyInstance): void {
    const { erasures, signals } = this.ports;
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: requestErasure,
      status: 202,
      maxBodyBytes: MAX_BODY_BYTES,
      answer: async (request, actor) => {
        validate(noQuerySchema, request.query, 'query');
        const { fields, ...entity } = validate(erasureRequestSchema, request.body, 'body');
        this.requireErasableLog();
        const status = await erasures.request({ entity, fields });
        signals.erasureAsked(status.erasureId, actor);
        return { erasure: view(status) };
      },
    });
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: listErasures,
      status: 200,
      answer: (request) => this.list(request),
    });
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: readErasure,
      status: 200,
      answer: async (request) => {
        const status = await erasures.find(idIn(request));
        if (!status) throw new SluiceError('not_found', 'There is no such erasure');
        return { erasure: view(status) };
      },
    });
    openOperatorRoute(fastify, this.gatekeeper, {
      operation: abandonErasure,
      status: 200,
      answer: async (request, actor) => {
        const status = await erasures.abandon(idIn(request));
        signals.erasureAbandoned(status.erasureId, actor);
        return { erasure: view(status) };
      },
    });
  }

  private async list(request: FastifyRequest): Promise<object> {
    const { before, limit } = validate(erasuresQuerySchema, request.query, 'query');
    const found = await this.ports.erasures.list({ limit, ...(before !== undefined && { before }) });
    const nextBefore = found.length < limit ? undefined : found.at(-1)?.erasureId;
    return { erasures: found.map(view), ...(nextBefore !== undefined && { nextBefore }) };
  }

  /** What the log keeps cannot be erased from anywhere else: a rebuild would bring it back. */
  private requireErasableLog(): void {
    const { refusal } = this.ports.durableLog.erasure;
    if (refusal !== undefined) throw new SluiceError('conflict', refusal);
  }
}

function idIn(request: FastifyRequest): number {
  validate(noQuerySchema, request.query, 'query');
  return validate(erasurePathSchema, request.params, 'path').erasureId;
}

function view({ erasureId, entity, ...rest }: ErasureStatus): object {
  const { abandonedAt, step } = rest;
  const isLeft = abandonedAt !== undefined && step !== undefined;
  return { erasureId, ...entity, ...rest, ...(isLeft && { leftOver: LEFT_OVER[step] }) };
}
