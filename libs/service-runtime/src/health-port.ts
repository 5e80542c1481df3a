import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import { SluiceError } from '@sluice/event-log';
import type { FastifyInstance } from 'fastify';
import { HEALTH_PATHS } from './health';
import { errorBody } from './http-errors';
import { SECURITY_HEADERS } from './security-headers';

/** Probes and scrapes are few and small. */
const HEALTH_PORT_LIMITS = {
  maxConnections: 100,
  headersTimeoutMs: 5_000,
  requestTimeoutMs: 10_000,
  keepAliveTimeoutMs: 72_000,
  timeoutCheckIntervalMs: 1_000,
  maxHeaderBytes: 8_192,
} as const;

const NOTHING_ELSE = new SluiceError('not_found', 'This port serves health and metrics only');

/**
 * A port without TLS for probes and scrapes, which bring no certificate: `/health`, `/ready` and `/metrics` of the app, and
 * nothing else of it.
 */
export class HealthPort {
  private readonly server: Server;

  constructor(private readonly fastify: FastifyInstance) {
    this.server = createServer(
      {
        headersTimeout: HEALTH_PORT_LIMITS.headersTimeoutMs,
        requestTimeout: HEALTH_PORT_LIMITS.requestTimeoutMs,
        keepAliveTimeout: HEALTH_PORT_LIMITS.keepAliveTimeoutMs,
        connectionsCheckingInterval: HEALTH_PORT_LIMITS.timeoutCheckIntervalMs,
        maxHeaderSize: HEALTH_PORT_LIMITS.maxHeaderBytes,
      },
      (request, response) => this.serve(request, response),
    );
    this.server.maxConnections = HEALTH_PORT_LIMITS.maxConnections;
  }

  /** Gives the real port. Rejects with the error of the system, for example `EADDRINUSE`. */
  async listen(address: { readonly host: string; readonly port: number }): Promise<number> {
    await new Promise<void>((resolve, reject) => {
      this.server.once('error', reject);
      this.server.listen({ ...address }, () => {
        this.server.off('error', reject);
        resolve();
      });
    });
    const bound = this.server.address();
    return typeof bound === 'object' && bound !== null ? bound.port : address.port;
  }

  /** Closes it with every connection. */
  async close(): Promise<void> {
    this.server.closeAllConnections();
    await new Promise<void>((resolve) => this.server.close(() => resolve()));
  }

  private serve(request: IncomingMessage, response: ServerResponse): void {
    const isAsked = request.method === 'GET' && HEALTH_PATHS.includes(request.url ?? '');
    if (isAsked) {
      this.fastify.routing(request, response);
      return;
    }
    const headers = { ...SECURITY_HEADERS, 'content-type': 'application/json; charset=utf-8', connection: 'close' };
    response.writeHead(404, headers).end(errorBody(NOTHING_ELSE, undefined));
  }
}
