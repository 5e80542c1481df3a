import { createHash } from 'node:crypto';
import { authorise, type Principal } from '@sluice/access';
import type { HttpGatekeeper } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { toHttpError, validate } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { z } from 'zod';
import type { SessionSignals } from '../signals';
import { toSdkError } from './sdk-errors';
import { changeHeaders, type SdkRoute } from './sdk-route';

/** Largest body: documents come in it as base64. */
export const MAX_BODY_BYTES = 32 * 1024 * 1024;

/** The header by which the SDK knows a request. */
export const SDK_REQUEST_ID_HEADER = 'request-id';

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
}

/** Marks an answer that the handler has written to the reply by itself. */
export const ANSWERED = Symbol('answered');

/** The way in for clients of the SDK: lets callers in, reads requests, hands them over, answers in the SDK's forms. */
export class SdkDoor {
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
        reply.header(SDK_REQUEST_ID_HEADER, request.id);
        request.principal = await this.gatekeeper.admit(request);
      },
      handler: async (request, reply) => {
        const answer = await handle(readCall(route, request, reply));
        if (answer === ANSWERED) return reply;
        reply.type('application/json');
        return JSON.stringify(answer);
      },
    });
  }

  private refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): void {
    const error = toHttpError(thrown);
    this.signals.refused(error, request);
    if (reply.sent || reply.raw.headersSent) {
      // The head of the answer is out: breaking off is the only way left to say that it is not whole.
      reply.raw.destroy();
      return;
    }
    const { status, headers, body } = toSdkError(error, request.id);
    void reply
      .code(status)
      .headers({ ...headers, [SDK_REQUEST_ID_HEADER]: request.id })
      .type('application/json')
      .send(body);
  }
}

function readCall<P extends z.ZodObject, Q extends z.ZodRawShape, B extends z.ZodType>(
  route: SdkRoute<P, Q, B>,
  request: FastifyRequest,
  reply: FastifyReply,
): SdkCall<P, Q, B> {
  const { principal } = request;
  if (principal === undefined) throw new SluiceError('unauthorized', 'API key required');
  const query = validate(route.query, request.query, 'query') as z.output<z.ZodObject<Q>> & { workspaceId?: number };
  const workspaceId = query.workspaceId ?? principal.workspaceId;
  if (workspaceId === null) {
    const where = 'query.workspaceId';
    throw new SluiceError('invalid_request', `${where}: an operator has to name a workspace`, { where });
  }
  authorise(principal, route.action, { workspaceId, family: 'session' });
  const params = validate(route.params, request.params, 'path');
  const body = (route.body === undefined ? undefined : validate(route.body, request.body)) as z.output<B>;
  return { workspaceId, principal, params, query, body, repetition: repetitionOf(request, principal), request, reply };
}

function repetitionOf(request: FastifyRequest, principal: Principal): Repetition {
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

function bodyText(body: unknown): string {
  return typeof body === 'object' && body !== null ? JSON.stringify(body) : '';
}
