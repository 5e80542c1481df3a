import { MemoryApiKeyStore } from '@sluice/access';
import { InProcessDeliveryLog, MemoryDurableLog, MemoryReadModel, type ReadModel } from '@sluice/event-log';
import { mergeChanges, projectEvent } from '@sluice/projections';
import type { SandboxActivity } from '@sluice/read-model';
import { once, type Engine, type SandboxReader } from './engine';

/** Everything in this process and nothing on disk: for trying things out and for tests. */
export function openMemoryEngine(): Engine {
  const durableLog = new MemoryDurableLog();
  const deliveryLog = new InProcessDeliveryLog();
  const readModel = new MemoryReadModel({ project: (event) => void projectEvent(event) });
  const apiKeys = new MemoryApiKeyStore();
  return {
    durableLog: once(async () => durableLog),
    deliveryLog: once(async () => deliveryLog),
    readModel: once(async () => readModel),
    apiKeys: once(async () => apiKeys),
    sandboxes: once(async () => new FoldingSandboxReader(readModel)),
    close: async () => {
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
    const [change] = mergeChanges(events.flatMap(({ event }) => projectEvent(event)));
    if (!change) return undefined;
    const { kind: _, status = 'unknown', ...activity } = change;
    return { ...activity, status };
  }
}
