import type { DynamicModule, Type } from '@nestjs/common';
import { SluiceError } from '@sluice/event-log';
import { DrainBudget, runBounded, runReversed } from './drain';
import { registerHealthRoutes } from './health';
import { createHttpApp, type HttpApp, type HttpAppOptions } from './http-server';
import { baseUrl, listenError, type Scheme } from './listen-address';
import type { ServiceLogger } from './logger';
import type { MetricsRegistry } from './metrics';
import { Readiness, type ReadinessOptions, type ReadyCheck } from './readiness';

/** A loop or a server of the service. */
export interface Worker {
  readonly name: string;
  /** Resolves when it works. */
  start(): Promise<void>;
  /** Ends it with what it has in hand, streams to callers too. Also called when `start` failed or has not ended. */
  stop(): Promise<void>;
}

/** A connection or a file that workers and routes use. */
export interface Resource {
  readonly name: string;
  close(): Promise<void>;
}

export interface ServiceOptions {
  readonly name: string;
  /** The app's one Nest module, if it has one. */
  readonly module?: DynamicModule | Type | undefined;
  readonly http: Omit<HttpAppOptions, 'module' | 'logger' | 'metrics'> & {
    readonly host: string;
    /** 0 takes any free port. */
    readonly port: number;
    /** The setting to name when the port is taken. Default `SLUICE_HTTP_PORT`. */
    readonly portSetting?: string;
    /** Further addresses of the same app, for requests and upgrades; drained like the first. */
    readonly aliases?: readonly PortAlias[];
    /** Where health and metrics are answered without TLS as well, and nothing else. */
    readonly healthPort?: PortAlias;
  };
  readonly checks?: readonly ReadyCheck[];
  readonly readiness?: ReadinessOptions;
  readonly logger: ServiceLogger;
  readonly metrics: MetricsRegistry;
  /** Started in this order, after HTTP listens; stopped in reverse. */
  readonly workers?: readonly Worker[];
  /** Open already; closed in reverse, after all workers. */
  readonly resources?: readonly Resource[];
  readonly drain: {
    /** The whole of `destroy`; what hangs is left behind. */
    readonly timeoutMs: number;
    /** How long to serve on, not ready, so that load balancers can learn of it. At most half of the whole. */
    readonly delayMs: number;
  };
}

/** A further address by which an app is reached. */
export interface PortAlias {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
  /** The setting to name when the port is taken. */
  readonly setting: string;
}

/** Where a service can be reached. */
export interface ServiceAddress {
  readonly url: string;
  /** In the order of `aliases`. */
  readonly aliasUrls: readonly string[];
  /** With a `healthPort`. */
  readonly healthUrl?: string;
}

/** A service that can be started once and destroyed once. */
export interface Service {
  readonly logger: ServiceLogger;
  /**
   * Listens, starts the workers, becomes ready. On failure everything is destroyed before it rejects.
   *
   * @throws SluiceError `configuration` when the address cannot be listened on, `shutting_down` when destroyed meanwhile.
   */
  start(): Promise<ServiceAddress>;
  /** Drains and closes everything within the stated time. Never rejects; calling it again gives the same promise. */
  destroy(): Promise<void>;
}

/** By when, as a share of the drain's time, each phase has to end. */
const DRAIN_SHARES = { delay: 0.5, requests: 0.6, workers: 0.8, connections: 0.9, resources: 1 } as const;

/** Creates a service; nothing runs until `start`. */
export function createService(options: ServiceOptions): Service {
  return new RunnableService(options);
}

class RunnableService implements Service {
  readonly logger: ServiceLogger;
  private readonly readiness: Readiness;
  private readonly startedWorkers: Worker[] = [];
  private http: HttpApp | undefined;
  private starting: Promise<ServiceAddress> | undefined;
  private destroying: Promise<void> | undefined;
  private hasServed = false;

  constructor(private readonly options: ServiceOptions) {
    this.logger = options.logger;
    this.readiness = new Readiness(options.checks ?? [], options.readiness);
  }

  start(): Promise<ServiceAddress> {
    this.starting ??= this.startOnce().catch(async (error: unknown) => {
      await this.destroy();
      throw error;
    });
    return this.starting;
  }

  destroy(): Promise<void> {
    this.destroying ??= this.destroyOnce();
    return this.destroying;
  }

  private async startOnce(): Promise<ServiceAddress> {
    const startedAtMs = performance.now();
    this.throwIfDestroyed();
    const address = await this.listen();
    for (const worker of this.options.workers ?? []) {
      this.startedWorkers.push(worker);
      await worker.start();
      this.throwIfDestroyed();
    }
    this.http?.setGate('open');
    this.readiness.markStarted();
    this.hasServed = true;
    this.logger.info('started', { ...address, durationMs: Math.round(performance.now() - startedAtMs) });
    return address;
  }

  /**
   * Before any worker starts, so that a taken port fails at once and `/health` is answered while workers start. What was
   * opened to create the service comes before this: until then nothing is answered.
   */
  private async listen(): Promise<ServiceAddress> {
    const {
      host,
      port,
      portSetting = 'SLUICE_HTTP_PORT',
      aliases = [],
      healthPort,
      routes,
      ...limits
    } = this.options.http;
    const scheme = limits.tls === undefined ? 'http' : 'https';
    const { module, logger, metrics } = this.options;
    const http = await createHttpApp({
      ...limits,
      module,
      logger,
      metrics,
      routes: (app) => {
        registerHealthRoutes(app.fastify, this.readiness, metrics);
        routes?.(app);
      },
    });
    if (this.destroying) await http.close();
    this.throwIfDestroyed();
    this.http = http;
    http.setGate('starting');
    const url = await urlOf(scheme, { host, port, setting: portSetting }, http.listen);
    const aliasUrls: string[] = [];
    for (const alias of aliases) {
      this.throwIfDestroyed();
      aliasUrls.push(await urlOf(scheme, alias, http.listenAlso));
    }
    this.throwIfDestroyed();
    const health = healthPort && { healthUrl: await urlOf('http', healthPort, http.listenForHealth) };
    this.throwIfDestroyed();
    return { url, aliasUrls, ...health };
  }

  private throwIfDestroyed(): void {
    if (this.destroying) throw new SluiceError('shutting_down', 'Service was stopped while it started');
  }

  private async destroyOnce(): Promise<void> {
    const { drain, resources = [] } = this.options;
    const budget = new DrainBudget(drain.timeoutMs);
    this.readiness.markDraining();
    this.logger.info('draining', { timeoutMs: drain.timeoutMs });
    if (this.hasServed && drain.delayMs > 0) {
      await delay(Math.min(drain.delayMs, budget.untilMs(DRAIN_SHARES.delay)));
    }
    const closing = this.http && this.stopAccepting(this.http);
    if (this.http) await this.finishRequests(this.http, budget);
    const workers = this.startedWorkers.map((worker) => ({ name: `stop ${worker.name}`, run: () => worker.stop() }));
    await runReversed(workers, budget, DRAIN_SHARES.workers, this.logger);
    if (this.http && closing) await this.closeConnections(this.http, closing, budget);
    const closes = resources.map((resource) => ({ name: `close ${resource.name}`, run: () => resource.close() }));
    await runReversed(closes, budget, DRAIN_SHARES.resources, this.logger);
    this.logger.info('stopped', { durationMs: Math.round(budget.elapsedMs) });
  }

  private stopAccepting(http: HttpApp): Promise<void> {
    http.setGate('closed');
    const closing = http.closeServer();
    // Waited for later; a failure before that must not count as unhandled.
    closing.catch(() => undefined);
    return closing;
  }

  private async finishRequests(http: HttpApp, budget: DrainBudget): Promise<void> {
    const step = { name: 'finish requests', run: () => http.requests.whenShortDone() };
    const isDone = await runBounded(step, budget.untilMs(DRAIN_SHARES.requests), this.logger);
    if (!isDone) this.logger.warn('requests are cut off', { count: http.requests.shortInHand });
  }

  private async closeConnections(http: HttpApp, closing: Promise<void>, budget: DrainBudget): Promise<void> {
    const { logger } = this;
    http.closeIdleConnections();
    const quietShare = (DRAIN_SHARES.workers + DRAIN_SHARES.connections) / 2;
    await runBounded({ name: 'end connections', run: () => closing }, budget.untilMs(quietShare), logger);
    await runBounded({ name: 'close http', run: () => http.close() }, budget.untilMs(DRAIN_SHARES.connections), logger);
  }
}

function delay(durationMs: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, durationMs));
}

/** Listens, and gives the URL by which this machine gets there. */
async function urlOf(scheme: Scheme, address: PortAlias, listen: HttpApp['listen']): Promise<string> {
  const { host, port, setting } = address;
  const realPort = await listen({ host, port }).catch((error: unknown) => {
    throw listenError(error, host, port, setting);
  });
  return baseUrl(host, realPort, scheme);
}
