import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { CallerLimiter } from '@sluice/access';
import type { EventFeed } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import type { SseStreamConfig } from './config';
import { StreamDoor } from './http/stream-door';

export interface SseStreamPorts {
  readonly config: SseStreamConfig;
  readonly feed: EventFeed;
  readonly gatekeeper: HttpGatekeeper;
  readonly limiter: CallerLimiter;
}

/** Everything that this app is made of. */
@Module({})
export class SseStreamModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    private readonly door: StreamDoor,
  ) {}

  static register({ config, feed, gatekeeper, limiter }: SseStreamPorts): DynamicModule {
    return {
      module: SseStreamModule,
      providers: [{ provide: StreamDoor, useFactory: () => new StreamDoor(feed, gatekeeper, limiter, config) }],
    };
  }

  onModuleInit(): void {
    this.door.register(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
