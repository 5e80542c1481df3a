import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { FastifyInstance } from 'fastify';
import type { MetricsRegistry } from './metrics';
import type { Readiness } from './readiness';
import { METRIC_NAMES } from './signals';

/** What of the app is for probes and scrapes. */
export const HEALTH_PATHS: readonly string[] = ['/health', '/ready', '/metrics'];

/**
 * `/health` (the process answers), `/ready` (it can serve) and `/metrics` (Prometheus text).
 * They answer also while the service starts and drains.
 */
export function registerHealthRoutes(fastify: FastifyInstance, readiness: Readiness, metrics: MetricsRegistry): void {
  const options = { config: { alwaysOpen: true } };
  exposeReadiness(readiness, metrics);

  const version = ownVersion();
  fastify.get('/health', options, () => ({
    status: 'ok',
    service: 'sluice',
    version,
    timestamp: new Date().toISOString(),
    uptime: 'running',
  }));

  fastify.get('/ready', options, async (_request, reply) => {
    const report = await readiness.report();
    return reply.code(report.status === 'ready' ? 200 : 503).send(report);
  });

  fastify.get('/metrics', options, async (_request, reply) => {
    const text = await metrics.expose();
    return reply.header('content-type', metrics.contentType).send(text);
  });
}

function exposeReadiness(readiness: Readiness, metrics: MetricsRegistry): void {
  metrics.gauge<'check'>({
    name: METRIC_NAMES.readyCheck,
    help: 'Whether what the service needs can be used: 1 yes, 0 no',
    labels: ['check'],
    collect: async (gauge) => {
      const { checks = {} } = await readiness.report();
      for (const [check, outcome] of Object.entries(checks)) gauge.set({ check }, outcome === 'ok' ? 1 : 0);
    },
  });
  metrics.gauge({
    name: METRIC_NAMES.ready,
    help: 'Whether the service can serve: 1 yes, 0 no',
    collect: async (gauge) => gauge.set((await readiness.report()).status === 'ready' ? 1 : 0),
  });
}

/** All packages of the platform have one version. */
function ownVersion(): string {
  const text = readFileSync(join(__dirname, '..', 'package.json'), 'utf8');
  return String((JSON.parse(text) as { version: unknown }).version);
}
