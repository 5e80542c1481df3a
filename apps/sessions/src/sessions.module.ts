import { Inject, Module, type DynamicModule, type OnModuleInit } from '@nestjs/common';
import { HttpAdapterHost } from '@nestjs/core';
import type { HttpGatekeeper } from '@sluice/engine';
import type { FastifyInstance } from 'fastify';
import { StoredFiles } from './files/stored-files';
import { RegisteredEngines } from './engines/registered-engines';
import type { Holdings } from './holdings';
import { openAgents } from './http/agent-routes';
import { openCallbacks } from './http/callback-door';
import { openCredentials } from './http/credential-routes';
import { openEngines } from './http/engine-routes';
import { openEnvironments } from './http/environment-routes';
import { openEvents } from './http/event-routes';
import { openFiles, openUploads } from './http/file-routes';
import { openResources } from './http/resource-routes';
import { SdkDoor } from './http/sdk-door';
import { openSessions } from './http/session-routes';
import { openStreams } from './http/stream-door';
import { openThreads } from './http/thread-routes';
import { answerUnknownPaths } from './http/unknown-paths';
import { openVaults } from './http/vault-routes';
import { EngineReports } from './journal/engine-reports';
import { SentEvents } from './sessions/sent-events';
import { SessionParts } from './sessions/session-parts';
import { SessionService } from './sessions/session-service';
import type { SessionsPorts, SessionsRuntime } from './sessions-runtime';
import { GATEKEEPER, HOLDINGS, PORTS } from './tokens';

/** A subscriber that reads nothing for so long is slow; and how long it may take to read the end. */
const STREAM_PACING = { retryMs: 1_000, stallTimeoutMs: 30_000, endGraceMs: 5_000 } as const;

/** Everything that this app is made of, but its loops. */
@Module({})
export class SessionsModule implements OnModuleInit {
  constructor(
    private readonly adapterHost: HttpAdapterHost,
    @Inject(GATEKEEPER) private readonly gatekeeper: HttpGatekeeper,
    @Inject(PORTS) private readonly ports: SessionsPorts,
    @Inject(HOLDINGS) private readonly holdings: Holdings,
    private readonly sessions: SessionService,
    private readonly reports: EngineReports,
    private readonly engines: RegisteredEngines,
  ) {}

  static register(ports: SessionsPorts, runtime: SessionsRuntime, gatekeeper: HttpGatekeeper): DynamicModule {
    const { documents, store, clock } = ports;
    const { journal, reports, holdings } = runtime;
    return {
      module: SessionsModule,
      providers: [
        { provide: GATEKEEPER, useValue: gatekeeper },
        { provide: PORTS, useValue: ports },
        { provide: EngineReports, useValue: reports },
        { provide: RegisteredEngines, useValue: holdings.engines },
        { provide: SessionParts, useFactory: () => new SessionParts(documents) },
        { provide: StoredFiles, useValue: holdings.files },
        { provide: HOLDINGS, useValue: holdings },
        {
          provide: SentEvents,
          inject: [SessionParts, StoredFiles],
          useFactory: (parts: SessionParts, stored: StoredFiles) => new SentEvents(parts, stored),
        },
        {
          provide: SessionService,
          inject: [SessionParts, SentEvents],
          useFactory: (parts: SessionParts, sent: SentEvents) =>
            new SessionService(journal, store, parts, sent, clock, holdings.tokens),
        },
      ],
    };
  }

  /** Bare Fastify routes, made of the same tables that describe them. */
  onModuleInit(): void {
    const { store, documents, events, clock, signals, config } = this.ports;
    const fastify = this.adapterHost.httpAdapter.getInstance<FastifyInstance>();
    const door = new SdkDoor(fastify, this.gatekeeper, signals);
    const { agents, environments, vaults, credentials, files } = this.holdings;
    answerUnknownPaths(fastify, signals);
    openAgents(door, agents);
    openEnvironments(door, environments);
    openVaults(door, vaults);
    openCredentials(door, credentials);
    openFiles(door, files, documents, this.ports.limiter);
    openUploads(fastify, (scope) => new SdkDoor(scope, this.gatekeeper, signals), files, config.files.maxUploads);
    openSessions(door, this.sessions, store);
    openEvents(door, this.sessions, events);
    openThreads(door, this.sessions, clock);
    openResources(door, this.sessions);
    openStreams(door, {
      ...this.ports,
      gatekeeper: this.gatekeeper,
      signals: this.ports.streamSignals,
      service: this.sessions,
      config: STREAM_PACING,
      heartbeatMs: config.heartbeatMs,
    });
    openEngines(door, this.engines);
    openCallbacks(fastify, { ...this.ports, store, reports: this.reports });
  }
}
