import type { Server } from 'node:http';
import type { DynamicModule, INestApplication, Type } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import { fastify as createFastify, type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import { BodyBudget } from './body-budget';
import type { TrustProxy } from './client-address';
import { Connections } from './connections';
import { allowOrigins, ANY_ORIGIN } from './cors';
import { HealthPort } from './health-port';
import { ErrorForms, type AnswerFault } from './error-forms';
import { answerError, discardBody, setCommonHeaders } from './http-answer';
import { acceptJsonOnly } from './json-body';
import type { ServiceLogger } from './logger';
import type { MetricsRegistry } from './metrics';
import { SluiceExceptionFilter, SluiceFastifyAdapter } from './nest-adapter';
import { nestLogger } from './nest-logger';
import { PipelinedRequests } from './pipelined-requests';
import { RequestTracker } from './request-tracker';
import { RouteTable } from './route-table';
import { HTTP_LIMITS, serverOptions } from './server-options';
import { TlsCertificate, type TlsConfig } from './tls/tls-certificate';
import { WebSockets, type WebSocketLimits } from './web-sockets';

declare module 'fastify' {
  interface FastifyInstance {
    /** Forms of errors that differ from the usual one, by path. Beforehand: what is added later counts as well. */
    errorForms: ErrorForms;
  }
  interface FastifyContextConfig {
    /** The answer is a stream that lasts: a drain does not wait for it with the short requests, its worker ends it. */
    longLived?: boolean;
    /** Answers also while the service starts and drains: health and the like. */
    alwaysOpen?: boolean;
    /** Its handler passes the body on as it comes and holds nothing of it: it is not counted with the bodies in hand. */
    streamedBody?: boolean;
  }
}

const RETRY_WHILE_STARTING_MS = 1_000;
/** The status of what is refused for its size, maybe before all of it came. */
const TOO_LARGE = 413;

/** Which requests are let in: all, or only routes with `alwaysOpen`. */
export type Gate = 'starting' | 'open' | 'closed';

export interface HttpAppOptions {
  /** The app's Nest module. Without one, there are only the bare routes. */
  readonly module?: DynamicModule | Type | undefined;
  readonly logger: ServiceLogger;
  readonly metrics: MetricsRegistry;
  /** Default 1 MiB. */
  readonly bodyLimitBytes?: number;
  /** Default 256 MiB. */
  readonly maxBodyBytesInHand?: number;
  /** Default `false`. */
  readonly trustProxy?: TrustProxy;
  /** Further connections are closed at once and counted. Default 10000. */
  readonly maxConnections?: number;
  /** Origins whose web pages may read answers; `*` is every one. Default: every one. */
  readonly corsOrigins?: readonly string[];
  /** The server speaks TLS and nothing else, on every port of it but that for health. */
  readonly tls?: TlsConfig;
  /** Where they differ from `WEB_SOCKET_LIMITS`. */
  readonly webSockets?: Partial<WebSocketLimits>;
  /** Registers bare Fastify routes, which spare the cost of Nest; called before the module is started. */
  readonly routes?: (app: HttpApp) => void;
}

/** An HTTP server, created but not listening. */
export interface HttpApp {
  /** For bare routes, hooks and `inject`. Its error answers are those of Nest handlers. */
  readonly fastify: FastifyInstance;
  readonly server: Server;
  readonly nest: INestApplication | undefined;
  readonly requests: Pick<RequestTracker, 'shortInHand' | 'whenShortDone'>;
  setGate(gate: Gate): void;
  /** Listens and gives the real port. Rejects with the error of the system, for example `EADDRINUSE`. */
  listen(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Listens on a further address, after `listen`. Gives the real port and rejects as that does. */
  listenAlso(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Answers `/health`, `/ready` and `/metrics` on an address of their own, without TLS, until `close`. As `listenAlso`. */
  listenForHealth(address: { readonly host: string; readonly port: number }): Promise<number>;
  /** Closes the connections that carry no request. */
  closeIdleConnections(): void;
  /**
   * Takes no more connections, and answers that end close theirs. WebSockets stay until whoever opened them closes them.
   * Resolves when every connection is gone.
   */
  closeServer(): Promise<void>;
  /** Closes all at once: connections and WebSockets, then Nest's modules. */
  close(): Promise<void>;
}

/** What is done with each request first, also with one that fails before any hook runs. Gives whether it goes on. */
type RequestStart = (request: FastifyRequest, reply: FastifyReply) => boolean;

/** Builds the server: one form of errors, request ids, limits, metrics and request logs for every route. */
export async function createHttpApp(options: HttpAppOptions): Promise<HttpApp> {
  const { logger, metrics } = options;
  const tracker = new RequestTracker(metrics, logger);
  const forms = new ErrorForms();
  const answerFault: AnswerFault = (thrown, request, reply) => {
    const answer = forms.of(request.url);
    if (answer) answer(thrown, request, reply);
    else answerError(thrown, request, reply, logger);
  };
  const frameworkErrors: AnswerFault = (thrown, request, reply) => {
    if (begin(request, reply)) answerFault(thrown, request, reply);
  };
  const certificate = options.tls && (await TlsCertificate.open(options.tls, { port: 'http', logger, metrics }));
  const fastify = createFastify(serverOptions(options, frameworkErrors, certificate));
  const health = new HealthPort(fastify);
  fastify.decorate('errorForms', forms);
  let gate: Gate = 'open';

  const connections = new Connections(fastify.server, options.maxConnections ?? HTTP_LIMITS.maxConnections, metrics);
  const sockets = new WebSockets(fastify, logger, metrics, tracker, options.webSockets);
  const pipelined = new PipelinedRequests(metrics, logger);
  const begin: RequestStart = (request, reply) => {
    if (!pipelined.admit(request, reply)) return false;
    tracker.track(request, reply);
    sockets.follow(request, reply);
    setCommonHeaders(request, reply);
    return true;
  };
  acceptJsonOnly(fastify);
  const notFound = answerFaults(fastify, answerFault);
  const budget = new BodyBudget(options.maxBodyBytesInHand ?? HTTP_LIMITS.maxBodyBytesInHand, metrics);
  fastify.addHook('onRequest', (request, reply, done) => {
    // Neither goes on nor is answered otherwise: nobody is there to read it.
    if (begin(request, reply)) pipelined.inTurn(reply.raw, done);
  });
  // Before anything is refused: a page may read the refusal then.
  await allowOrigins(fastify, options.corsOrigins ?? [ANY_ORIGIN]);
  fastify.addHook('onRequest', (request, reply, done) => {
    const refused = sockets.refusal(request, reply);
    if (gate === 'open' || request.routeOptions.config?.alwaysOpen === true) {
      done(refused);
      return;
    }
    reply.header('connection', 'close');
    done(refusal(gate));
  });
  fastify.addHook('preParsing', (request, reply, payload, done) => {
    try {
      // Before its body is read: nobody waits for it.
      if (request.is404) done(notFound(request, reply));
      else if (request.routeOptions.config?.streamedBody === true) done(null, payload);
      else done(null, budget.count(request.raw, reply.raw, payload));
    } catch (error) {
      done(toSluiceError(error));
    }
  });
  fastify.addHook('onSend', (request, reply, payload, done) => {
    // The caller must not send its next request into a connection that is about to go.
    if (gate === 'closed') reply.header('connection', 'close');
    const send = () => done(null, payload);
    if (reply.statusCode === TOO_LARGE) discardBody(request.raw, send);
    else send();
  });
  await sockets.register();

  const nest = options.module && (await createNest(options.module, fastify, logger));
  const app: HttpApp = {
    fastify,
    server: fastify.server,
    nest,
    requests: tracker,
    setGate: (next) => {
      gate = next;
    },
    listen: async ({ host, port }) => {
      await fastify.listen({ host, port });
      const address = fastify.server.address();
      return typeof address === 'object' && address !== null ? address.port : port;
    },
    listenAlso: (address) => connections.listen(address),
    listenForHealth: (address) => health.listen(address),
    closeIdleConnections: () => {
      fastify.server.closeIdleConnections();
      connections.closeUnused();
    },
    closeServer: async () => {
      await Promise.all([fastify.close(), connections.closeAliases()]);
    },
    close: async () => {
      certificate?.close();
      void connections.closeAliases();
      fastify.server.closeAllConnections();
      connections.closeUnused();
      sockets.terminate();
      await Promise.all([nest ? nest.close() : fastify.close(), health.close()]);
    },
  };
  options.routes?.(app);
  await nest?.init();
  await fastify.ready();
  return app;
}

/** Answers thrown errors and unknown routes; gives what an unknown route is answered with. */
function answerFaults(
  fastify: FastifyInstance,
  answerFault: AnswerFault,
): (request: FastifyRequest, reply: FastifyReply) => SluiceError {
  const routes = new RouteTable();
  fastify.addHook('onRoute', (route) => {
    // A stream has no head to ask for alone, and its handler would never end.
    if (route.config?.longLived === true && route.method === 'HEAD') {
      route.handler = (_request, reply) => reply.callNotFound();
      return;
    }
    for (const method of [route.method].flat()) routes.add(method, route.url);
  });
  fastify.setErrorHandler(answerFault);
  const notFound = (request: FastifyRequest, reply: FastifyReply): SluiceError => {
    const methods = routes.methodsOf(request.url.split('?', 1)[0] ?? '');
    if (methods.length === 0 || methods.includes(request.method)) return new SluiceError('not_found', 'Not found');
    reply.header('allow', methods.join(', '));
    return new SluiceError('method_not_allowed', 'Method not allowed');
  };
  fastify.setNotFoundHandler((request, reply) => answerFault(notFound(request, reply), request, reply));
  return notFound;
}

function refusal(gate: Exclude<Gate, 'open'>): SluiceError {
  return gate === 'starting'
    ? new SluiceError('overloaded', 'Service is starting', { retryAfterMs: RETRY_WHILE_STARTING_MS })
    : new SluiceError('shutting_down', 'Service is shutting down', { retryAfterMs: RETRY_WHILE_STARTING_MS });
}

async function createNest(
  module: DynamicModule | Type,
  fastify: FastifyInstance,
  logger: ServiceLogger,
): Promise<INestApplication> {
  const nest = await NestFactory.create(module, new SluiceFastifyAdapter(fastify), {
    bodyParser: false,
    abortOnError: false,
    logger: nestLogger(logger),
  });
  nest.useGlobalFilters(new SluiceExceptionFilter(logger));
  return nest;
}
