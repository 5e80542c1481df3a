import type { Position, RecordedEvent } from '@sluice/event-schema';
import {
  ProjectionFailed,
  type EntityRef,
  type EntitySummary,
  type Head,
  type Lane,
  type LaneCheckpoints,
  type ListEntitiesOptions,
  type PublisherGrant,
  type ReadAllOptions,
  type ReadEventsOptions,
  type ReadModel,
  type RecordBatch,
  type RecordedPage,
  type RecordedRange,
  type RecordedWitness,
  type RecordOutcome,
} from '@sluice/event-log';
import { projectEvent } from '@sluice/projections';
import { openConnections, type Connections, type Database, type DatabaseOptions } from './database';
import { PostgresErasures } from './erasure/postgres-erasures';
import { PostgresEntityKeys } from './entity-keys/postgres-entity-keys';
import {
  findEntity,
  findEventsByIds,
  listEntities,
  readAllEvents,
  readEvents,
  readHead,
  removedAmong,
} from './event-queries';
import { applyMigrations } from './migrations';
import { PrismaAgentDirectory } from './prisma-agent-directory';
import { PrismaApiKeyStore } from './prisma-api-key-store';
import { PrismaChainStore } from './prisma-chain-store';
import { PrismaParkedRecords } from './prisma-parked-records';
import { PrismaSandboxes } from './prisma-sandboxes';
import { PrismaSessionDocuments } from './prisma-session-documents';
import { PrismaSessionEvents } from './prisma-session-events';
import { PrismaSessionStore } from './prisma-session-store';
import { PrismaWebhookStore } from './prisma-webhook-store';
import { PrismaWorkspaceDocuments } from './prisma-workspace-documents';
import { beginEpochIfLost } from './new-epoch';
import { acquireLease, advanceLease, releaseLease } from './publisher-lease';
import { loadCheckpoints, recordBatch, type ProjectEvent } from './record-transaction';
import { PostgresReadModelRebuilds } from './rebuild/postgres-rebuilds';
import { RecordedListener } from './recorded-listener';
import { PostgresEventRetention } from './retention/postgres-event-retention';
import { PostgresRemovedEvents } from './retention/postgres-removed-events';
import { queriesOf } from './transaction';
import { orUnavailable } from './unavailable';

export interface ReadModelOptions extends DatabaseOptions {
  /** Applies pending migrations first. Off where a deployment step does it. Default true. */
  readonly migrate?: boolean;
  /** What events mean for the projections. */
  readonly project?: ProjectEvent;
}

/** ReadModel in PostgreSQL. */
export class PrismaReadModel implements ReadModel {
  readonly parked: PrismaParkedRecords;
  readonly apiKeys: PrismaApiKeyStore;
  readonly sandboxes: PrismaSandboxes;
  readonly workspaceDocuments: PrismaWorkspaceDocuments;
  readonly agentDirectory: PrismaAgentDirectory;
  readonly chainStore: PrismaChainStore;
  readonly sessionEvents: PrismaSessionEvents;
  readonly sessionStore: PrismaSessionStore;
  readonly sessionDocuments: PrismaSessionDocuments;
  readonly webhookStore: PrismaWebhookStore;
  readonly rebuilds: PostgresReadModelRebuilds;
  readonly removed: PostgresRemovedEvents;
  readonly retention: PostgresEventRetention;
  readonly entityKeys: PostgresEntityKeys;
  readonly erasures: PostgresErasures;
  private readonly listener: RecordedListener;

  private readonly database: Database;

  constructor(
    private readonly connections: Connections,
    databaseUrl: string,
    private readonly project: ProjectEvent,
  ) {
    const { database, lists, pool } = connections;
    this.database = database;
    this.parked = new PrismaParkedRecords(database);
    this.apiKeys = new PrismaApiKeyStore(database);
    this.sandboxes = new PrismaSandboxes(database);
    this.workspaceDocuments = new PrismaWorkspaceDocuments(database);
    this.agentDirectory = new PrismaAgentDirectory(database, lists);
    this.chainStore = new PrismaChainStore(database, queriesOf(pool));
    this.sessionEvents = new PrismaSessionEvents(database);
    this.sessionStore = new PrismaSessionStore(database);
    this.sessionDocuments = new PrismaSessionDocuments(database);
    this.webhookStore = new PrismaWebhookStore(database);
    this.rebuilds = new PostgresReadModelRebuilds(connections.maintenance, project);
    this.removed = new PostgresRemovedEvents(pool);
    this.retention = new PostgresEventRetention(pool);
    this.erasures = new PostgresErasures(connections.maintenance, project);
    this.entityKeys = new PostgresEntityKeys(pool);
    this.listener = new RecordedListener(databaseUrl);
  }

  async record(batch: RecordBatch): Promise<RecordOutcome> {
    try {
      return await recordBatch(this.connections.pool, batch, this.project);
    } catch (error) {
      if (error instanceof ProjectionFailed) throw error;
      return orUnavailable(() => Promise.reject(error));
    }
  }

  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return orUnavailable(() => loadCheckpoints(this.database, lanes));
  }

  beginEpochIfLost(witness: RecordedWitness): Promise<boolean> {
    return orUnavailable(() => beginEpochIfLost(queriesOf(this.connections.pool), witness));
  }

  head(): Promise<Head> {
    return orUnavailable(() => readHead(this.database));
  }

  read(options: ReadEventsOptions): Promise<RecordedPage> {
    return orUnavailable(() => readEvents(this.database, options));
  }

  readAll(options: ReadAllOptions): Promise<RecordedRange> {
    return orUnavailable(() => readAllEvents(this.database, options));
  }

  findByIds(eventIds: readonly string[]): Promise<ReadonlyMap<string, RecordedEvent>> {
    return orUnavailable(() => findEventsByIds(this.database, eventIds));
  }

  removedAmong(eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    return orUnavailable(() => removedAmong(this.database, eventIds));
  }

  findEntity(entity: EntityRef): Promise<EntitySummary | undefined> {
    return orUnavailable(() => findEntity(this.database, entity));
  }

  listEntities(options: ListEntitiesOptions): Promise<readonly EntitySummary[]> {
    return orUnavailable(() => listEntities(this.database, options));
  }

  acquire(holder: string, leaseMs: number): Promise<PublisherGrant | undefined> {
    return orUnavailable(() => acquireLease(this.database, holder, leaseMs));
  }

  advance(grant: PublisherGrant, published: Position): Promise<boolean> {
    return orUnavailable(() => advanceLease(this.database, grant, published));
  }

  release(grant: PublisherGrant): Promise<void> {
    return orUnavailable(() => releaseLease(this.database, grant));
  }

  onRecorded(listener: () => void): Promise<{ stop(): Promise<void> }> {
    return this.listener.add(listener);
  }

  async check(): Promise<void> {
    await this.head();
  }

  async close(): Promise<void> {
    await this.listener.close();
    await this.connections.close();
  }
}

/**
 * Opens the read model, with its schema brought up to date first.
 * @throws SluiceError `configuration` or `read_model_unavailable`
 */
export async function openReadModel(options: ReadModelOptions): Promise<PrismaReadModel> {
  if (options.migrate ?? true) await applyMigrations(options.databaseUrl);
  return new PrismaReadModel(openConnections(options), options.databaseUrl, options.project ?? projectEvent);
}
