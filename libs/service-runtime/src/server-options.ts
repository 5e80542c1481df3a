import { createServer, type RequestListener, type Server, type ServerOptions } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { Duplex } from 'node:stream';
import type { FastifyHttpOptions } from 'fastify';
import { answerClientError } from './client-errors';
import type { AnswerFault } from './error-forms';
import type { HttpAppOptions } from './http-server';
import { createRequestIds } from './request-id';
import { METRIC_NAMES } from './signals';
import type { TlsCertificate } from './tls/tls-certificate';

/** Limits of the HTTP server that rarely change; each is a bound on what one caller can hold. */
export const HTTP_LIMITS = {
  /** Longer than the idle time of usual load balancers (60 s), so that it is they who close. */
  keepAliveTimeoutMs: 72_000,
  headersTimeoutMs: 20_000,
  /** From the first byte to the end of the body. */
  requestTimeoutMs: 60_000,
  timeoutCheckIntervalMs: 5_000,
  maxHeaderBytes: 16_384,
  maxPathSegmentLength: 512,
  bodyLimitBytes: 1_048_576,
  /** Of all bodies together that are not answered yet; further ones get 503 `overloaded`. */
  maxBodyBytesInHand: 268_435_456,
  maxConnections: 10_000,
} as const;

/** How Fastify is created, with a server for plain HTTP or for TLS. */
export function serverOptions(
  options: Pick<HttpAppOptions, 'metrics' | 'trustProxy' | 'bodyLimitBytes'>,
  frameworkErrors: AnswerFault,
  certificate: TlsCertificate | undefined,
): FastifyHttpOptions<Server> {
  const { metrics, trustProxy = false } = options;
  const clientErrors = metrics.counter({
    name: METRIC_NAMES.httpClientErrorsTotal,
    help: 'Connections whose bytes are no HTTP request: malformed, too slow, too large a head',
  });
  return {
    logger: false,
    genReqId: createRequestIds(),
    requestIdHeader: false,
    bodyLimit: options.bodyLimitBytes ?? HTTP_LIMITS.bodyLimitBytes,
    trustProxy: typeof trustProxy === 'object' ? [...trustProxy] : trustProxy,
    serverFactory: (handler) => createServerWith(handler, certificate),
    routerOptions: {
      maxParamLength: HTTP_LIMITS.maxPathSegmentLength,
      // A base URL that ends in a slash makes `//events` of `/events`.
      ignoreDuplicateSlashes: true,
    },
    // The gate answers in our own form.
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    // Faults of the URL itself, found before any hook runs.
    frameworkErrors,
    clientErrorHandler: (error: NodeJS.ErrnoException, socket: Duplex) => {
      clientErrors.inc();
      answerClientError(error, socket);
    },
  };
}

const SERVER_OPTIONS: ServerOptions = {
  keepAliveTimeout: HTTP_LIMITS.keepAliveTimeoutMs,
  requestTimeout: HTTP_LIMITS.requestTimeoutMs,
  headersTimeout: HTTP_LIMITS.headersTimeoutMs,
  connectionsCheckingInterval: HTTP_LIMITS.timeoutCheckIntervalMs,
  maxHeaderSize: HTTP_LIMITS.maxHeaderBytes,
};

function createServerWith(handler: RequestListener, certificate: TlsCertificate | undefined): Server {
  if (certificate === undefined) return createServer(SERVER_OPTIONS, handler);
  const server = createTlsServer({ ...SERVER_OPTIONS, ...certificate.options }, handler);
  certificate.follow(server);
  return server;
}
