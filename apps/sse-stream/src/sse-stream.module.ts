import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { CallerLimiter } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { SseStreamConfig } from './config';
import { StreamDoor } from './http/stream-door';
import type { OpenStreams } from './open-streams';
import { createSseStreamSignals } from './signals';

export interface SseStreamPorts {
  readonly config: SseStreamConfig;
  readonly feed: EventFeed;
  readonly gatekeeper: HttpGatekeeper;
  readonly limiter: CallerLimiter;
  readonly streams: OpenStreams;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
}

/** Everything that this app is made of. */
@Module({})
export class SseStreamModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly door: StreamDoor,
  ) {}

  static register(ports: SseStreamPorts): DynamicModule {
    const { config, feed, gatekeeper, limiter, streams, metrics, logger } = ports;
    const signals = createSseStreamSignals(metrics, logger);
    return {
      module: SseStreamModule,
      providers: [
        {
          provide: StreamDoor,
          useFactory: () => new StreamDoor(feed, gatekeeper, limiter, streams, signals, config),
        },
      ],
    };
  }

  onModuleInit(): void {
    this.door.register(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
