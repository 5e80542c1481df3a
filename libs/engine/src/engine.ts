import type { ApiKeyStore } from '@sluice/access';
import type { ChainStore } from '@sluice/agent-registry';
import type { FileStore, SessionDocuments, SessionStore } from '@sluice/agent-sessions';
import type {
  DeliveryLog,
  DurableLog,
  Erasures,
  EventRetention,
  ReadModel,
  ReadModelRebuilds,
} from '@sluice/event-log';
import type { AgentDirectory, SessionEvents, WorkspaceDocuments } from '@sluice/projections';
import type { SandboxActivity } from '@sluice/read-model';
import type { WebhookStore } from '@sluice/webhook-delivery';
import type { Coordination } from './coordination';

/** Reads the projection of one sandbox. */
export interface SandboxReader {
  find(workspaceId: number, sandboxId: string): Promise<SandboxActivity | undefined>;
}

/**
 * The ports of one engine. Each is opened when it is first asked for, so that an app holds only what it uses; every
 * caller in a process is given the same one.
 */
export interface Engine {
  readonly durableLog: () => Promise<DurableLog>;
  readonly deliveryLog: () => Promise<DeliveryLog>;
  readonly readModel: () => Promise<ReadModel>;
  /** Rebuilding the read model; projectors do it. */
  readonly readModelRebuilds: () => Promise<ReadModelRebuilds>;
  /** Erasing what is kept of an entity; projectors do it. */
  readonly erasures: () => Promise<Erasures>;
  readonly eventRetention: () => Promise<EventRetention>;
  readonly apiKeys: () => Promise<ApiKeyStore>;
  readonly sandboxes: () => Promise<SandboxReader>;
  readonly workspaceDocuments: () => Promise<WorkspaceDocuments>;
  readonly agentDirectory: () => Promise<AgentDirectory>;
  readonly sessionEvents: () => Promise<SessionEvents>;
  /** What the watcher of chains keeps; nobody else uses it. */
  readonly chainStore: () => Promise<ChainStore>;
  /** What the app of sessions keeps of them; nobody else uses it. */
  readonly sessionStore: () => Promise<SessionStore>;
  /** What sessions are made of: agents, environments, vaults, descriptions of files. */
  readonly sessionDocuments: () => Promise<SessionDocuments>;
  /** Endpoints of webhooks and what was sent to them. */
  readonly webhookStore: () => Promise<WebhookStore>;
  /** Where the bytes of files are. Refused with `configuration` where no place is set. */
  readonly fileStore: () => Promise<FileStore>;
  /** What the replicas tell each other; of an engine that is one process, what its parts do. */
  readonly coordination: () => Promise<Coordination>;
  /** Lets go of everything that was opened. Idempotent. */
  close(): Promise<void>;
}

/** Opens at most once; a failed opening may be tried again. */
export function once<T>(open: () => Promise<T>): () => Promise<T> {
  let opened: Promise<T> | undefined;
  return () => {
    opened ??= open().catch((error: unknown) => {
      opened = undefined;
      throw error;
    });
    return opened;
  };
}

/** Remembers what was opened and closes it, the last one first. */
export class Closables {
  private readonly opened: { close(): Promise<void> }[] = [];

  async keep<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
    const resource = await opening;
    this.opened.push(resource);
    return resource;
  }

  /** As `keep`, but it is closed after all that may still ask it, whenever that was opened. */
  async keepToTheEnd<T extends { close(): Promise<void> }>(opening: Promise<T>): Promise<T> {
    const resource = await opening;
    this.opened.unshift(resource);
    return resource;
  }

  async close(): Promise<void> {
    for (let resource = this.opened.pop(); resource; resource = this.opened.pop()) await resource.close();
  }
}
