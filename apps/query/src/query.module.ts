import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { AccessControl, ApiKeyStore } from '@sluice/access';
import type { HttpGatekeeper, SandboxReader } from '@sluice/engine';
import type { DurableLog, ReadModel } from '@sluice/event-log';
import type { AgentDirectory } from '@sluice/projections';
import { ParkedReplay } from './admin/parked-replay';
import { ProjectionLag } from './admin/projection-lag';
import type { FastifyInstance } from 'fastify';
import type { QueryConfig } from './config';
import { EventPages } from './event-pages';
import { admitFirst } from './http/admission';
import { AdminKeysController } from './http/admin-keys.controller';
import { AdminParkedController } from './http/admin-parked.controller';
import { AdminTokensController } from './http/admin-tokens.controller';
import { AgentsDoor } from './http/agents/agents-door';
import { EntitiesController } from './http/entities.controller';
import { EventsController } from './http/events.controller';
import { SandboxEventsController } from './http/sandbox-events.controller';
import { StatsController } from './http/stats.controller';
import { WebhookDeliveriesController, type WebhookDeliveries } from './http/webhook-deliveries.controller';
import type { QuerySignals } from './signals';
import { ACCESS, API_KEYS, GATEKEEPER, READ_MODEL, SANDBOXES, SIGNALS, WEBHOOKS } from './tokens';

export interface QueryPorts {
  readonly config: QueryConfig;
  readonly readModel: ReadModel;
  readonly sandboxes: SandboxReader;
  readonly directory: AgentDirectory;
  readonly apiKeys: ApiKeyStore;
  readonly access: AccessControl;
  readonly gatekeeper: HttpGatekeeper;
  readonly durableLog: () => Promise<DurableLog>;
  readonly webhooks: WebhookDeliveries;
  readonly signals: QuerySignals;
}

/** Everything that this app is made of. */
@Module({})
export class QueryModule implements OnModuleInit {
  private readonly fastify: FastifyInstance;

  /** Modules are made before the routes of their controllers. */
  constructor(
    { httpAdapter }: HttpAdapterHost,
    @Inject(GATEKEEPER) gatekeeper: HttpGatekeeper,
    @Inject(AgentsDoor) private readonly agents: AgentsDoor,
  ) {
    this.fastify = httpAdapter.getInstance<FastifyInstance>();
    admitFirst(this.fastify, gatekeeper);
  }

  static register(ports: QueryPorts): DynamicModule {
    const { readModel, durableLog } = ports;
    const pages = new EventPages(readModel, ports.config);
    return {
      module: QueryModule,
      controllers: [
        SandboxEventsController,
        EventsController,
        EntitiesController,
        StatsController,
        AdminKeysController,
        AdminTokensController,
        AdminParkedController,
        WebhookDeliveriesController,
      ],
      providers: [
        { provide: READ_MODEL, useValue: readModel },
        { provide: SANDBOXES, useValue: ports.sandboxes },
        { provide: API_KEYS, useValue: ports.apiKeys },
        { provide: ACCESS, useValue: ports.access },
        { provide: GATEKEEPER, useValue: ports.gatekeeper },
        { provide: WEBHOOKS, useValue: ports.webhooks },
        { provide: SIGNALS, useValue: ports.signals },
        { provide: EventPages, useValue: pages },
        { provide: AgentsDoor, useFactory: () => new AgentsDoor({ ...ports, pages }) },
        { provide: ParkedReplay, useFactory: () => new ParkedReplay(readModel.parked, durableLog) },
        { provide: ProjectionLag, useFactory: () => new ProjectionLag(readModel, durableLog) },
      ],
    };
  }

  onModuleInit(): void {
    this.agents.register(this.fastify);
  }
}
