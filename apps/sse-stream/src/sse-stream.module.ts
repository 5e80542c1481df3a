import { Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AccessControl, CallerLimiter } from '@sluice/access';
import type { EventFeed, PresenceBoard } from '@sluice/delivery';
import type { HttpGatekeeper } from '@sluice/engine';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { FastifyInstance } from 'fastify';
import type { SseStreamConfig } from './config';
import { RegistryDoor } from './http/registry/registry-door';
import { StreamTokenDoor } from './http/stream-tokens/stream-token-door';
import { StreamDoor } from './http/stream/stream-door';
import { WorkspaceDoor } from './http/workspace/workspace-door';
import type { OpenStreams } from '@sluice/event-streams';
import { createSseStreamSignals } from './signals';
import { SocketDoors } from './socket/socket-doors';
import { createSocketSignals } from './socket/socket-signals';

export interface SseStreamPorts {
  readonly config: SseStreamConfig;
  readonly feed: EventFeed;
  readonly access: AccessControl;
  readonly gatekeeper: HttpGatekeeper;
  readonly limiter: CallerLimiter;
  readonly presence: PresenceBoard;
  readonly streams: OpenStreams;
  readonly metrics: MetricsRegistry;
  readonly logger: Logger;
}

/** What can be registered as routes. */
interface Door {
  register(fastify: FastifyInstance): void;
}

/** Everything that this app is made of. */
@Module({})
export class SseStreamModule implements OnModuleInit {
  private readonly doors: readonly Door[];

  constructor(
    private readonly adapterHost: HttpAdapterHost,
    stream: StreamDoor,
    registry: RegistryDoor,
    workspace: WorkspaceDoor,
    tokens: StreamTokenDoor,
    sockets: SocketDoors,
  ) {
    this.doors = [stream, registry, workspace, tokens, sockets];
  }

  static register(ports: SseStreamPorts): DynamicModule {
    const { metrics, logger, ...shared } = ports;
    const signals = createSseStreamSignals(metrics, logger);
    const doors = { ...shared, signals };
    const socketPorts = { ...shared, signals: createSocketSignals(metrics, logger) };
    return {
      module: SseStreamModule,
      providers: [
        { provide: StreamDoor, useFactory: () => new StreamDoor(doors) },
        { provide: RegistryDoor, useFactory: () => new RegistryDoor(doors) },
        { provide: WorkspaceDoor, useFactory: () => new WorkspaceDoor(doors) },
        { provide: StreamTokenDoor, useFactory: () => new StreamTokenDoor(doors) },
        { provide: SocketDoors, useFactory: () => new SocketDoors(socketPorts) },
      ],
    };
  }

  onModuleInit(): void {
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    for (const door of this.doors) door.register(fastify);
  }
}
