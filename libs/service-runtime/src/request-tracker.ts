import type { IncomingMessage } from 'node:http';
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Histogram } from 'prom-client';
import type { ServiceLogger } from './logger';
import type { MetricsRegistry } from './metrics';
import { METRIC_NAMES } from './signals';

/** The label of requests that no route matched: their URLs are the callers' choice, so they must not become labels. */
const UNMATCHED_ROUTE = 'unmatched';

/** The status that stands in metrics and logs for a caller that left before its answer began. */
const CLIENT_CLOSED_STATUS = 499;

/** The status of a request that became a WebSocket; its duration is that of the socket. */
const UPGRADED_STATUS = 101;

const KNOWN_METHODS: ReadonlySet<string> = new Set(['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS']);

type RequestLabel = 'route' | 'method' | 'status';

/** Counts, times and logs each request, and knows how many are in hand. */
export class RequestTracker {
  private readonly durations: Histogram<RequestLabel>;
  private readonly waiters = new Set<() => void>();
  private readonly upgraded = new WeakSet<IncomingMessage>();
  private short = 0;
  private long = 0;

  constructor(
    metrics: MetricsRegistry,
    private readonly logger: ServiceLogger,
  ) {
    this.durations = metrics.histogram({
      name: METRIC_NAMES.httpRequestDurationSeconds,
      help: 'Time from the head of a request to the end of its answer',
      labels: ['route', 'method', 'status'],
    });
    metrics.gauge<'kind'>({
      name: METRIC_NAMES.httpRequestsInHand,
      help: 'Requests that are not answered to the end; kind is short, or long for streams',
      labels: ['kind'],
      // When it is read, not for each request: labels have a cost.
      collect: (gauge) => {
        gauge.set({ kind: 'short' }, this.short);
        gauge.set({ kind: 'long' }, this.long);
      },
    });
  }

  /** Requests in hand, but those of routes with `longLived`. */
  get shortInHand(): number {
    return this.short;
  }

  /** Follows one request until its connection has the whole answer or is gone. */
  track(request: FastifyRequest, reply: FastifyReply): void {
    const { url, config } = request.routeOptions;
    const route = request.is404 ? UNMATCHED_ROUTE : (url ?? UNMATCHED_ROUTE);
    const isLong = config?.longLived === true;
    const startedAtMs = performance.now();
    this.count(isLong, 1);
    reply.raw.once('close', () => {
      this.count(isLong, -1);
      this.report(request, reply, route, performance.now() - startedAtMs);
    });
  }

  /** The request became a WebSocket: what is written to its connection is no answer of HTTP. */
  onUpgraded(request: IncomingMessage): void {
    this.upgraded.add(request);
  }

  /** Resolves when no request but long-lived ones is in hand. */
  whenShortDone(): Promise<void> {
    if (this.short === 0) return Promise.resolve();
    return new Promise((resolve) => this.waiters.add(resolve));
  }

  private count(isLong: boolean, change: 1 | -1): void {
    if (isLong) {
      this.long += change;
      return;
    }
    this.short += change;
    if (this.short > 0 || this.waiters.size === 0) return;
    for (const resolve of this.waiters) resolve();
    this.waiters.clear();
  }

  private report(request: FastifyRequest, reply: FastifyReply, route: string, durationMs: number): void {
    const status = this.statusOf(request, reply);
    const method = KNOWN_METHODS.has(request.method) ? request.method : 'OTHER';
    this.durations.observe({ route, method, status }, durationMs / 1_000);
    const level = status >= 400 ? 'info' : 'debug';
    if (!this.logger.isEnabled(level)) return;
    const roundedMs = Math.round(durationMs * 100) / 100;
    this.logger[level]('request', { requestId: request.id, method, route, status, durationMs: roundedMs });
  }

  private statusOf(request: FastifyRequest, reply: FastifyReply): number {
    if (this.upgraded.has(request.raw)) return UPGRADED_STATUS;
    return reply.raw.headersSent ? reply.raw.statusCode : CLIENT_CLOSED_STATUS;
  }
}
