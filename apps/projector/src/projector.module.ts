import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { ErasureDoor, type ErasureDoorPorts } from './http/erasure-door';
import { RebuildDoor, type RebuildDoorPorts } from './http/rebuild-door';
import { RetentionDoor, type RetentionDoorPorts } from './http/retention-door';
import { GATEKEEPER } from './tokens';

export type ProjectorPorts = RebuildDoorPorts & ErasureDoorPorts & RetentionDoorPorts;

/** The doors of this app; its loops are workers of the service. */
@Module({})
export class ProjectorModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(RebuildDoor) private readonly rebuilds: RebuildDoor,
    @Inject(ErasureDoor) private readonly erasures: ErasureDoor,
    @Inject(RetentionDoor) private readonly retention: RetentionDoor,
  ) {}

  static register(ports: ProjectorPorts, gatekeeper: HttpGatekeeper): DynamicModule {
    return {
      module: ProjectorModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        {
          provide: RebuildDoor,
          inject: [GATEKEEPER],
          useFactory: (keeper: HttpGatekeeper) => new RebuildDoor(ports, keeper),
        },
        {
          provide: ErasureDoor,
          inject: [GATEKEEPER],
          useFactory: (keeper: HttpGatekeeper) => new ErasureDoor(ports, keeper),
        },
        {
          provide: RetentionDoor,
          inject: [GATEKEEPER],
          useFactory: (keeper: HttpGatekeeper) => new RetentionDoor(ports, keeper),
        },
      ],
    };
  }

  onModuleInit(): void {
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    for (const door of [this.rebuilds, this.erasures, this.retention]) door.open(fastify);
  }
}
