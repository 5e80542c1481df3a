import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { EventFeed } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import type { DurableLog } from '@sluice/event-log';
import type { MetricsRegistry, ServiceLogger } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { IngestConfig } from './config';
import { EventsDoor } from './http/events-door';
import { registryRoute } from './http/registry-route';
import { sandboxRoute } from './http/sandbox-route';
import { createIngestSignals } from './signals';
import { EventStore } from './store-events';

export interface IngestPorts {
  readonly config: IngestConfig;
  readonly durableLog: DurableLog;
  readonly feed: EventFeed;
  readonly gatekeeper: HttpGatekeeper;
  readonly metrics: MetricsRegistry;
  readonly logger: ServiceLogger;
}

/** Everything that this app is made of. */
@Module({})
export class IngestModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly door: EventsDoor,
  ) {}

  static register(ports: IngestPorts): DynamicModule {
    const { config, durableLog, feed, gatekeeper, metrics, logger } = ports;
    const signals = createIngestSignals(metrics, logger);
    return {
      module: IngestModule,
      providers: [
        {
          provide: EventStore,
          useFactory: () => new EventStore(durableLog, feed, { projectionWaitMs: config.projectionWaitMs }, signals),
        },
        {
          provide: EventsDoor,
          inject: [EventStore],
          useFactory: (store: EventStore) =>
            new EventsDoor(store, gatekeeper, config.maxBodyBytes, signals, [sandboxRoute, registryRoute]),
        },
      ],
    };
  }

  /** Bare Fastify routes: this is the door whose cost per request counts. */
  onModuleInit(): void {
    this.door.register(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
