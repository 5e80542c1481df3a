import {
  CallerLimiter,
  createAccessControl,
  FailedAuthenticationLimiter,
  type AccessConfig,
  type AccessControl,
  type ConnectionSlots,
} from '@sluice/access';
import { EventFeed, type PresenceBoard } from '@sluice/delivery';
import { createLogger, MetricsRegistry, type ServiceLogger, type SettingsOf } from '@sluice/service-runtime';
import { countFailedAuthentications, countKeyChecks, countUntoldRequests, observeAccess } from './access-metrics';
import { toAccessConfig } from './access-settings';
import { once, type Engine } from './engine';
import { toEngineConfig, type EngineConfig } from './engine-settings';
import { createEngineSignals } from './engine-signals';
import { createFeedMetrics, observeFeed } from './feed-metrics';
import type { hostSettings } from './host-settings';
import { HttpGatekeeper } from './http-gatekeeper';
import { toHttpConfig, type HttpConfig } from './http-settings';
import { openEngine } from './open-engine';

export interface HostConfig {
  readonly name: string;
  readonly engine: EngineConfig;
  readonly access: AccessConfig;
  readonly http: HttpConfig;
  readonly log: Pick<SettingsOf<ReturnType<typeof hostSettings>>, 'SLUICE_LOG_LEVEL' | 'SLUICE_LOG_FORMAT'>;
  readonly drain: { readonly timeoutMs: number; readonly delayMs: number };
}

/** @throws SluiceError `configuration` */
export function toHostConfig(name: string, settings: SettingsOf<ReturnType<typeof hostSettings>>): HostConfig {
  return {
    name,
    engine: toEngineConfig(settings),
    access: toAccessConfig(settings),
    http: toHttpConfig(settings),
    log: settings,
    drain: { timeoutMs: settings.SLUICE_DRAIN_TIMEOUT, delayMs: settings.SLUICE_DRAIN_DELAY },
  };
}

/** What one process shares among the apps that run in it. Ports open when they are first asked for. */
export interface AppHost {
  readonly config: HostConfig;
  readonly logger: ServiceLogger;
  readonly metrics: MetricsRegistry;
  readonly engine: Engine;
  readonly access: () => Promise<AccessControl>;
  readonly gatekeeper: () => Promise<HttpGatekeeper>;
  /** Limits of authenticated callers: requests over all replicas, streams in this process and over all replicas. */
  readonly limiter: CallerLimiter;
  /** Slots for connections over all replicas; `limiter.openSharedConnection` is how a caller gets one. */
  readonly connectionSlots: () => Promise<ConnectionSlots>;
  /** Who is where, over all replicas. */
  readonly presence: () => Promise<PresenceBoard>;
  readonly failures: FailedAuthenticationLimiter;
  /** The one feed of the process; it has started when this resolves. */
  readonly feed: () => Promise<EventFeed>;
  close(): Promise<void>;
}

export function createAppHost(config: HostConfig): AppHost {
  const logger = createLogger({
    service: config.name,
    level: config.log.SLUICE_LOG_LEVEL,
    format: config.log.SLUICE_LOG_FORMAT,
  });
  const metrics = new MetricsRegistry({ processMetrics: true });
  const engine = openEngine(config.engine, { clientName: `sluice-${config.name}`, logger, metrics });
  const { limits } = config.access;
  const connectionSlots = async () => (await engine.coordination()).connectionSlots;
  const limiter = new CallerLimiter(limits, {
    slots: connectionSlots,
    rates: async () => (await engine.coordination()).rates,
    ...countUntoldRequests(metrics),
  });
  const failures = new FailedAuthenticationLimiter({
    ...limits.failedAuthentication,
    maxTracked: limits.maxTracked,
    ...countFailedAuthentications(metrics),
  });
  const access = once(async () => {
    const control = await createAccessControl(config.access, await engine.apiKeys(), countKeyChecks(metrics, logger));
    observeAccess(metrics, control);
    return control;
  });
  let openedFeed: EventFeed | undefined;
  const feed = once(async () => {
    const signals = createEngineSignals({ logger, metrics });
    openedFeed = new EventFeed({
      deliveryLog: await engine.deliveryLog(),
      reader: await engine.readModel(),
      limits: { subscriptions: limits.totalConnections },
      metrics: createFeedMetrics(metrics),
      onFault: (error) => signals.fault('feed', error),
    });
    await openedFeed.start();
    observeFeed(metrics, openedFeed);
    return openedFeed;
  });
  return {
    config,
    logger,
    metrics,
    engine,
    access,
    gatekeeper: once(async () => new HttpGatekeeper(await access(), limiter, failures, config.http)),
    limiter,
    connectionSlots,
    presence: async () => (await engine.coordination()).presence,
    failures,
    feed,
    close: async () => {
      await openedFeed?.stop();
      limiter.close();
      await engine.close();
    },
  };
}
