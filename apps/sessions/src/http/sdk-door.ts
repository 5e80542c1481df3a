import { createHash } from 'node:crypto';
import { authorise, type Principal } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { isWithinDepth, MAX_DATA_DEPTH } from '@sluice/event-schema';
import { toHttpError, validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { SessionSignals } from '../signals';
import { answerSdkError, SDK_REQUEST_ID_HEADER } from './sdk-errors';
import { changeHeaders, type SdkRoute } from './sdk-route';
import { workspaceOf } from './workspace-of';

/** Largest body: documents come in it as base64. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** A request, read. */
export interface SdkCall<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType> {
  readonly workspaceId: number;
  readonly principal: Principal;
  readonly params: z.output<P>;
  readonly query: z.output<z.ZodObject<Q>>;
  readonly body: z.output<B>;
  readonly repetition: Repetition;
  readonly request: FastifyRequest;
  readonly reply: FastifyReply;
}

/** By what a repeated request is known. */
export interface Repetition {
  /** The caller's own key, of this method and path. */
  readonly key: string | undefined;
  /** Of who calls, the method, the path and the body. */
  readonly requestHash: string;
  /** The SDK says that it sent this before. */
  readonly isRetry: boolean;
  /** When the request came, by `performance.now()`. */
  readonly arrivedAtMs: number;
  /** Calls `then` when a good answer was handed to the connection; never when that broke before. */
  onAnswered(then: () => void): void;
}

/** Marks an answer that the handler has written to the reply by itself. */
export const ANSWERED = Symbol('answered');

/** The way in for clients of the SDK: lets callers in, reads requests, hands them over, answers in the SDK's forms. */
export class SdkDoor {
  private readonly arrivals = new WeakMap<FastifyRequest, number>();

  constructor(
    private readonly fastify: FastifyInstance,
    private readonly gatekeeper: HttpGatekeeper,
    private readonly signals: Pick<SessionSignals, 'refused'>,
  ) {}

  /** Answers the JSON of what `handle` gives. */
  on<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType>(
    route: SdkRoute<P, Q, B>,
    handle: (call: SdkCall<P, Q, B>) => Promise<object | typeof ANSWERED>,
    options: { readonly longLived?: boolean; readonly streamedBody?: boolean } = {},
  ): void {
    const { longLived = false, streamedBody = false } = options;
    this.fastify.route({
      method: route.operation.method,
      url: route.operation.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      bodyLimit: MAX_BODY_BYTES,
      exposeHeadRoute: !longLived,
      config: { longLived, streamedBody },
      errorHandler: (error, request, reply) => this.refuse(error, request, reply),
      // Strangers are turned away before their body is read.
      onRequest: async (request, reply) => {
        this.arrivals.set(request, performance.now());
        reply.header(SDK_REQUEST_ID_HEADER, request.id);
        request.principal = await this.gatekeeper.admit(request);
      },
      handler: async (request, reply) => {
        const answer = await handle(readCall(route, request, reply, this.arrivals.get(request)));
        if (answer === ANSWERED) return reply;
        reply.type('application/json');
        return JSON.stringify(answer);
      },
    });
  }

  /** Counts the events of a request: a batch costs its caller as much as its events one by one. */
  takeEvents(principal: Principal, events: number): void {
    this.gatekeeper.takeEvents(principal, events);
  }

  private refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toHttpError(thrown);
    this.signals.refused(error, request);
    answerSdkError(error, request, reply);
  }
}

function readCall<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType>(
  route: SdkRoute<P, Q, B>,
  request: FastifyRequest,
  reply: FastifyReply,
  arrivedAtMs = performance.now(),
): SdkCall<P, Q, B> {
  const { principal } = request;
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
  const query = validate(route.query, request.query, 'query') as z.output<z.ZodObject<Q>> & { workspaceId?: number };
  const workspaceId = workspaceOf(request, principal, query.workspaceId);
  authorise(principal, route.action, { workspaceId, family: 'session' });
  const params = validate(route.params, request.params, 'path');
  requireDepth(request.body);
  const body = (route.body === undefined ? undefined : validate(route.body, request.body)) as z.output<B>;
  const repetition = { ...repetitionOf(request, principal), arrivedAtMs, onAnswered: answerOf(reply) };
  return { workspaceId, principal, params, query, body, repetition, request, reply };
}

function repetitionOf(request: FastifyRequest, principal: Principal): Omit<Repetition, 'arrivedAtMs' | 'onAnswered'> {
  const { headers, method, url } = request;
  const key = changeHeaders.shape['idempotency-key'].safeParse(headers['idempotency-key']);
  if (!key.success) {
    const where = 'headers.idempotency-key';
    throw new SluiceError('invalid_request', `${where}: must have 1 to 256 characters`, { where });
  }
  const path = url.split('?', 1)[0] ?? '';
  const caller = 'keyId' in principal ? principal.keyId : principal.kind;
  const hash = createHash('sha256')
    .update(JSON.stringify([caller, method, path]))
    .update(bodyText(request.body));
  return {
    key: key.data === undefined ? undefined : `${method} ${path} ${key.data}`,
    requestHash: hash.digest('base64url'),
    isRetry: Number(headers['x-stainless-retry-count'] ?? 0) > 0,
  };
}

/** Once all of it was handed to the system. What is lost after that cannot be told from what was read. */
function answerOf({ raw }: FastifyReply): Repetition['onAnswered'] {
  return (then) => {
    let isClosed = raw.destroyed;
    raw.once('close', () => (isClosed = true));
    raw.once('finish', () => {
      if (!isClosed && raw.statusCode < 300) then();
    });
  };
}

/** What is nested more deeply can be parsed, and neither checked nor written again. */
function requireDepth(body: unknown): void {
  if (isWithinDepth(body, MAX_DATA_DEPTH)) return;
  const message = `body: must have at most ${MAX_DATA_DEPTH} levels of objects and arrays`;
  throw new SluiceError('invalid_request', message, { where: 'body' });
}

function bodyText(body: unknown): string {
  return typeof body === 'object' && body !== null ? JSON.stringify(body) : '';
}
