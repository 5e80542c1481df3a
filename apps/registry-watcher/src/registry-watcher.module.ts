import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { ChainDoor, type ChainDoorPorts } from './http/chain-door';
import { GATEKEEPER } from './tokens';

/** The doors of this app; its loops are workers of the service. */
@Module({})
export class RegistryWatcherModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(ChainDoor) private readonly door: ChainDoor,
  ) {}

  static register(ports: ChainDoorPorts, gatekeeper: HttpGatekeeper): DynamicModule {
    return {
      module: RegistryWatcherModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        {
          provide: ChainDoor,
          inject: [GATEKEEPER],
          useFactory: (keeper: HttpGatekeeper) => new ChainDoor(ports, keeper),
        },
      ],
    };
  }

  onModuleInit(): void {
    this.door.open(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
