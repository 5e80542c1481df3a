import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { RebuildDoor, type RebuildDoorPorts } from './http/rebuild-door';
import { GATEKEEPER } from './tokens';

/** The doors of this app; its loops are workers of the service. */
@Module({})
export class ProjectorModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(RebuildDoor) private readonly door: RebuildDoor,
  ) {}

  static register(ports: RebuildDoorPorts, gatekeeper: HttpGatekeeper): DynamicModule {
    return {
      module: ProjectorModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        {
          provide: RebuildDoor,
          inject: [GATEKEEPER],
          useFactory: (keeper: HttpGatekeeper) => new RebuildDoor(ports, keeper),
        },
      ],
    };
  }

  onModuleInit(): void {
    this.door.open(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
