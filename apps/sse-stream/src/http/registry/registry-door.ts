import type { Principal } from '@sluice/access';
import { parseStartPlace, SluiceError, type StartPlace } from '@sluice/event-log';
import { registryErrorBody, toRegistryError } from '@sluice/event-schema';
import { readBearer, toHttpError } from '@sluice/service-runtime';
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import { toEventFilter } from '../../requested-filter';
import { startText } from '../request-parts';
import { StreamOpener } from '@sluice/event-streams';
import type { StreamDoorPorts } from '../stream-door-ports';
import { RegistryDialect } from './registry-dialect';
import { REGISTRY_STREAM_HEADERS, setRateHeaders, setSecurityHeaders } from './registry-headers';
import { registryInfo } from './registry-info';
import { readRegistryQuery, type RegistryQuery } from './registry-query';
import { parameterFault } from './registry-strictness';

export const REGISTRY_PATH = '/api/v1/events';

/** As bytes, because a text would be given a charset. */
const INFO = Buffer.from(JSON.stringify(registryInfo));

/** The streams of one key, over all replicas. */
const POOL = 'registry';

/** `GET /api/v1/events` and `/api/v1/events/info`: the public registry API, with its own headers and its own errors. */
export class RegistryDoor {
  private readonly opener: StreamOpener;

  constructor(private readonly ports: StreamDoorPorts) {
    this.opener = new StreamOpener(ports);
  }

  register(fastify: FastifyInstance): void {
    void fastify.register(
      (scope, _options, done) => {
        scope.addHook('onRequest', (_request, reply, next) => {
          setSecurityHeaders(reply);
          next();
        });
        scope.setErrorHandler((error, request, reply) => this.refuse(error, request, reply));
        scope.setNotFoundHandler(() => {
          throw new SluiceError('not_found', 'Not found');
        });
        scope.get('', {
          config: { longLived: true },
          exposeHeadRoute: false,
          handler: (request, reply) => this.stream(request, reply),
        });
        scope.head('', (request, reply) => this.head(request, reply));
        scope.get('/info', (request, reply) => this.info(request, reply));
        done();
      },
      { prefix: REGISTRY_PATH },
    );
  }

  private async stream(request: FastifyRequest, reply: FastifyReply): Promise<void> {
    const { principal, query, filter } = await this.asked(request, reply);
    const { registryConnections, registryMaxDurationMs } = this.ports.config;
    await this.opener.open(
      {
        principal,
        filter,
        ...readStart(request, query),
        dialect: new RegistryDialect(query.filters),
        headers: REGISTRY_STREAM_HEADERS,
        heartbeatMs: query.heartbeatSeconds * 1_000,
        maxDurationMs: registryMaxDurationMs,
        sharedPool: { pool: POOL, limit: registryConnections },
      },
      reply,
    );
  }

  /** Who is let in and refused as by GET. */
  private async head(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.asked(request, reply);
    return reply.code(200).headers(REGISTRY_STREAM_HEADERS).send();
  }

  private async asked(request: FastifyRequest, reply: FastifyReply) {
    const principal = await this.admit(request, reply);
    const query = readRegistryQuery(request.query, this.ports.config.registryMinHeartbeatMs / 1_000);
    return { principal, query, filter: toEventFilter(principal, query.wanted, 'query') };
  }

  private async info(request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    await this.admit(request, reply);
    return reply.header('content-type', 'application/json').send(INFO);
  }

  private async admit(request: FastifyRequest, reply: FastifyReply): Promise<Principal> {
    const { gatekeeper, limiter } = this.ports;
    const principal = await gatekeeper.admit(request, { queryToken: true });
    setRateHeaders(reply, limiter, principal);
    return principal;
  }

  /** Answers what was thrown. Strangers learn nothing of what exists: an unknown path asks who they are first. */
  private async refuse(thrown: unknown, request: FastifyRequest, reply: FastifyReply): Promise<FastifyReply> {
    let error = toHttpError(thrown);
    if (error.status === 404 || error.status === 405) {
      error = await this.admit(request, reply).then(() => error, toHttpError);
    }
    if (error.status === 500) this.ports.signals.fault(thrown);
    const answer = toRegistryError(error, hasCredential(request));
    if (reply.raw.headersSent) {
      // The head of a stream is out: breaking off is the only way left to say that it is not whole.
      reply.raw.destroy();
      return reply;
    }
    setSecurityHeaders(reply);
    reply.removeHeader('allow');
    if (answer.retryAfterSeconds !== undefined) reply.header('retry-after', String(answer.retryAfterSeconds));
    // Also for a caller that was refused for its rate: it is known by then who it is.
    if (request.principal) setRateHeaders(reply, this.ports.limiter, request.principal);
    const body = Buffer.from(registryErrorBody(answer, request.id));
    return reply.code(answer.status).header('content-type', 'application/json').send(body);
  }
}

/** A cursor that nobody here gave out begins a stream at the head that says so; `strict` makes it an error. */
function readStart(
  request: FastifyRequest,
  { lastEventId, isStrict }: RegistryQuery,
): { readonly start: StartPlace; readonly resetReason?: string } {
  const text = startText({ header: request.headers['last-event-id'], lastEventId });
  if (text === undefined) return { start: 'latest' };
  try {
    return { start: parseStartPlace(text) };
  } catch {
    if (isStrict) throw parameterFault('lastEventId', 'expected a cursor');
    return { start: 'latest', resetReason: 'invalid_cursor' };
  }
}

function hasCredential({ headers, query }: FastifyRequest): boolean {
  const { apiKey, bearer } = readBearer(headers);
  const { token } = Object(query) as { readonly token?: unknown };
  return apiKey !== undefined || bearer !== undefined || token !== undefined;
}
