import { Module, type DynamicModule } from '@nestjs/common';
import { createService, type HttpApp, type ReadyCheck, type Service, type Worker } from '@sluice/service-runtime';
import type { AppHost } from './app-host';

/** What one app brings into a process. */
export interface AppPart {
  readonly name: string;
  /** The app's one Nest module. */
  readonly module?: DynamicModule;
  readonly workers?: readonly Worker[];
  readonly checks?: readonly ReadyCheck[];
  /** Bare Fastify routes, for doors whose cost per request matters. */
  readonly routes?: (app: HttpApp) => void;
}

/** Brings several apps' modules together where they share one process. */
@Module({})
class PartsModule {}

/** One service out of the parts; the apps of a process share its host, its port and its drain. */
export function serveParts(host: AppHost, parts: readonly AppPart[]): Service {
  const { config, logger, metrics } = host;
  const modules = parts.flatMap(({ module }) => (module ? [module] : []));
  const checks = new Map(parts.flatMap((part) => part.checks ?? []).map((check) => [check.name, check]));
  return createService({
    name: config.name,
    module: { module: PartsModule, imports: modules },
    http: {
      host: config.http.host,
      port: config.http.port,
      trustProxy: config.http.trustedProxies === 0 ? false : config.http.trustedProxies,
      maxConnections: config.access.limits.totalConnections + SPARE_CONNECTIONS,
      routes: (app) => {
        for (const part of parts) part.routes?.(app);
      },
    },
    checks: [...checks.values()],
    logger,
    metrics,
    workers: parts.flatMap(({ workers = [] }) => workers),
    resources: [{ name: 'engine', close: () => host.close() }],
    drain: config.drain,
  });
}

/** Connections beyond those of streams: requests, health checks, scrapes. */
const SPARE_CONNECTIONS = 2_000;
