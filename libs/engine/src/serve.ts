import { Module, type DynamicModule } from '@nestjs/common';
import { asyncApi, openApi, type Operation } from '@sluice/api-description';
import { SluiceError } from '@sluice/event-log';
import {
  createService,
  isLoopbackHost,
  type HttpApp,
  type PortAlias,
  type ReadyCheck,
  type Service,
  type Worker,
} from '@sluice/service-runtime';
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
  /** What its HTTP doors are, for those who check that each is described. */
  readonly operations?: readonly Operation[];
}

/** Brings several apps' modules together where they share one process. */
@Module({})
class PartsModule {}

/**
 * One service out of the parts; the apps of a process share its host, its ports and its drain.
 * @throws SluiceError `configuration` when local callers are let in and a further port is open to other machines
 */
export function serveParts(host: AppHost, parts: readonly AppPart[]): Service {
  const { config, logger, metrics } = host;
  const aliases = config.http.aliases ?? [];
  if (config.http.loopbackWorkspace !== undefined) requireLoopback(aliases);
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
      ...(config.http.corsOrigins && { corsOrigins: config.http.corsOrigins }),
      aliases,
      ...(config.http.healthPort && { healthPort: config.http.healthPort }),
      ...(config.http.tls && { tls: config.http.tls }),
      routes: (app) => {
        serveDescriptions(app);
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

function requireLoopback(aliases: readonly PortAlias[]): void {
  const open = aliases.find(({ host }) => !isLoopbackHost(host));
  if (open === undefined) return;
  const message = `${open.setting}: it must listen on a loopback address because of SLUICE_LOOPBACK_WORKSPACE`;
  throw new SluiceError('configuration', message);
}

/** Documents about the whole platform, the same from every process: there is nothing in them to hide from anybody. */
function serveDescriptions({ fastify }: HttpApp): void {
  for (const [path, document] of [
    ['/openapi.json', openApi],
    ['/asyncapi.json', asyncApi],
  ] as const) {
    let text: string | undefined;
    fastify.get(path, { config: { cors: { origin: '*' } } }, (_request, reply) =>
      reply.header('content-type', 'application/json; charset=utf-8').send((text ??= JSON.stringify(document))),
    );
  }
}
