import { MemoryApiKeyStore } from '@sluice/access';
import { MemoryChainStore } from '@sluice/agent-registry';
import { MemoryFileStore, MemorySessionDocuments, MemorySessionStore } from '@sluice/agent-sessions';
import type { PresenceSignals } from '@sluice/delivery';
import { InProcessDeliveryLog, MemoryDurableLog, MemoryReadModel, type ReadModel } from '@sluice/event-log';
import { changesOfKind, mergeChanges, projectEvent } from '@sluice/projections';
import type { SandboxActivity } from '@sluice/read-model';
import { MemoryWebhookStore } from '@sluice/webhook-delivery';
import { memoryCoordination } from './coordination';
import {
  FollowingAgentDirectory,
  FollowingProjections,
  FollowingSessionEvents,
  FollowingWorkspaceDocuments,
} from './memory-projections';
import { once, type Engine, type SandboxReader } from './engine';

/** Everything in this process and nothing on disk: for trying things out and for tests. */
export function openMemoryEngine(presenceSignals?: PresenceSignals): Engine {
  const durableLog = new MemoryDurableLog();
  const deliveryLog = new InProcessDeliveryLog();
  const readModel = new MemoryReadModel({ project: (event) => void projectEvent(event) });
  const apiKeys = new MemoryApiKeyStore();
  const chainStore = new MemoryChainStore();
  const sessionStore = new MemorySessionStore();
  const sessionDocuments = new MemorySessionDocuments();
  const webhookStore = new MemoryWebhookStore();
  const fileStore = new MemoryFileStore();
  const coordination = memoryCoordination(presenceSignals);
  const projections = new FollowingProjections(readModel);
  return {
    durableLog: once(async () => durableLog),
    deliveryLog: once(async () => deliveryLog),
    readModel: once(async () => readModel),
    readModelRebuilds: once(async () => readModel.rebuilds),
    erasures: once(async () => readModel.erasures),
    eventRetention: once(async () => readModel.retention),
    apiKeys: once(async () => apiKeys),
    sandboxes: once(async () => new FoldingSandboxReader(readModel)),
    workspaceDocuments: once(async () => new FollowingWorkspaceDocuments(projections)),
    agentDirectory: once(async () => new FollowingAgentDirectory(projections)),
    sessionEvents: once(async () => new FollowingSessionEvents(projections)),
    chainStore: once(async () => chainStore),
    sessionStore: once(async () => sessionStore),
    sessionDocuments: once(async () => sessionDocuments),
    webhookStore: once(async () => webhookStore),
    fileStore: once(async () => fileStore),
    coordination: once(async () => coordination),
    close: async () => {
      await coordination.close();
      await durableLog.close();
      await deliveryLog.close();
      await readModel.close();
    },
  };
}

/** Folds the events of a sandbox each time it is asked, at most so many. */
const MAX_FOLDED_EVENTS = 100_000;

class FoldingSandboxReader implements SandboxReader {
  constructor(private readonly readModel: ReadModel) {}

  async find(workspaceId: number, sandboxId: string): Promise<SandboxActivity | undefined> {
    const { events } = await this.readModel.read({
      filter: { workspaceIds: [workspaceId], families: ['sandbox'], entityIds: [sandboxId] },
      limit: MAX_FOLDED_EVENTS,
    });
    const changes = mergeChanges(events.flatMap(({ event }) => projectEvent(event)));
    const [change] = changesOfKind('sandbox_activity', changes);
    if (!change) return undefined;
    const { kind: _, status = 'unknown', ...activity } = change;
    return { ...activity, status };
  }
}
