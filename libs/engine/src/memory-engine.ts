import { MemoryApiKeyStore } from '@sluice/access';
import type { PresenceSignals } from '@sluice/delivery';
import {
  BEFORE_FIRST,
  InProcessDeliveryLog,
  MemoryDurableLog,
  MemoryReadModel,
  toPosition,
  type ReadModel,
} from '@sluice/event-log';
import {
  changesOfKind,
  MemoryWorkspaceDocuments,
  mergeChanges,
  projectEvent,
  type CountWaitingDocuments,
  type DueWorkspaceDocuments,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from '@sluice/projections';
import type { SandboxActivity } from '@sluice/read-model';
import { memoryCoordination } from './coordination';
import { once, type Engine, type SandboxReader } from './engine';

/** Everything in this process and nothing on disk: for trying things out and for tests. */
export function openMemoryEngine(presenceSignals?: PresenceSignals): Engine {
  const durableLog = new MemoryDurableLog();
  const deliveryLog = new InProcessDeliveryLog();
  const readModel = new MemoryReadModel({ project: (event) => void projectEvent(event) });
  const apiKeys = new MemoryApiKeyStore();
  const coordination = memoryCoordination(presenceSignals);
  return {
    durableLog: once(async () => durableLog),
    deliveryLog: once(async () => deliveryLog),
    readModel: once(async () => readModel),
    apiKeys: once(async () => apiKeys),
    sandboxes: once(async () => new FoldingSandboxReader(readModel)),
    workspaceDocuments: once(async () => new FollowingWorkspaceDocuments(readModel)),
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

/** Most events that are projected at once. */
const MAX_BATCH_EVENTS = 1000;

/** Projects what was recorded since the last question before it answers one, so that it never lags behind. */
class FollowingWorkspaceDocuments implements WorkspaceDocuments {
  private readonly documents = new MemoryWorkspaceDocuments();
  private position = BEFORE_FIRST;

  constructor(private readonly readModel: ReadModel) {}

  async find(workspaceId: number, kind: WorkspaceDocumentKind, id: string): Promise<WorkspaceDocument | undefined> {
    await this.catchUp();
    return this.documents.find(workspaceId, kind, id);
  }

  async list(query: ListWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    await this.catchUp();
    return this.documents.list(query);
  }

  async due(query: DueWorkspaceDocuments): Promise<readonly WorkspaceDocument[]> {
    await this.catchUp();
    return this.documents.due(query);
  }

  async countWaiting(query: CountWaitingDocuments): Promise<number> {
    await this.catchUp();
    return this.documents.countWaiting(query);
  }

  private async catchUp(): Promise<void> {
    const { position: head } = await this.readModel.head();
    while (this.position < head) {
      const after = this.position;
      const read = await this.readModel.readAll({ after, upTo: head, limit: MAX_BATCH_EVENTS });
      // Another question may have been here meanwhile.
      const fresh = read.filter(({ event }) => event.position > this.position);
      this.documents.apply(
        changesOfKind('workspace_document', mergeChanges(fresh.flatMap(({ event }) => projectEvent(event)))),
      );
      this.position = toPosition(Math.max(this.position, after + read.length));
    }
  }
}
