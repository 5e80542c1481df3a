import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { EndpointService, type EndpointServicePorts } from './endpoint-service';
import { WebhookDoor } from './http/webhook-door';
import type { WebhookSignals } from './signals';
import { GATEKEEPER } from './tokens';

export interface WebhooksModulePorts extends EndpointServicePorts {
  readonly signals: WebhookSignals;
}

/** The doors of this app; what delivers is a worker of the service. */
@Module({})
export class WebhooksModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(WebhookDoor) private readonly door: WebhookDoor,
  ) {}

  static register(ports: WebhooksModulePorts, gatekeeper: HttpGatekeeper): DynamicModule {
    return {
      module: WebhooksModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        { provide: EndpointService, useFactory: () => new EndpointService(ports) },
        {
          provide: WebhookDoor,
          inject: [EndpointService, GATEKEEPER],
          useFactory: (endpoints: EndpointService, keeper: HttpGatekeeper) =>
            new WebhookDoor(endpoints, keeper, ports.signals),
        },
      ],
    };
  }

  onModuleInit(): void {
    this.door.open(this.adapterHost.httpAdapter.getInstance<FastifyInstance>());
  }
}
