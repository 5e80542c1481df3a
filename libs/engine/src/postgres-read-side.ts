import type { EntityKeys } from '@sluice/event-log';
import type { PrismaReadModel } from '@sluice/read-model';
import type { Closables } from './engine';
import { once, type Engine } from './engine';
import type { DatabaseConfig } from './engine-settings';

/** The part that both engines on PostgreSQL share. */
export function openPostgresReadSide(
  database: DatabaseConfig,
  closables: Closables,
): Pick<
  Engine,
  | 'readModel'
  | 'readModelRebuilds'
  | 'erasures'
  | 'eventRetention'
  | 'apiKeys'
  | 'sandboxes'
  | 'workspaceDocuments'
  | 'agentDirectory'
  | 'sessionEvents'
  | 'chainStore'
  | 'sessionStore'
  | 'sessionDocuments'
  | 'webhookStore'
> & { readonly entityKeys: EntityKeys } {
  const open: () => Promise<PrismaReadModel> = once(async () => {
    const { openReadModel } = await import('@sluice/read-model');
    // A log whose keys are here asks for them until it is closed.
    return closables.keepToTheEnd(openReadModel(database));
  });
  return {
    readModel: open,
    readModelRebuilds: async () => (await open()).rebuilds,
    erasures: async () => (await open()).erasures,
    eventRetention: async () => (await open()).retention,
    apiKeys: async () => (await open()).apiKeys,
    sandboxes: async () => (await open()).sandboxes,
    workspaceDocuments: async () => (await open()).workspaceDocuments,
    agentDirectory: async () => (await open()).agentDirectory,
    sessionEvents: async () => (await open()).sessionEvents,
    chainStore: async () => (await open()).chainStore,
    sessionStore: async () => (await open()).sessionStore,
    sessionDocuments: async () => (await open()).sessionDocuments,
    entityKeys: openedLater(async () => (await open()).entityKeys),
    webhookStore: async () => (await open()).webhookStore,
  };
}

/** An index that is opened when it is first asked, so that the log does not wait for PostgreSQL when it is opened. */
function openedLater(open: () => Promise<EntityKeys>): EntityKeys {
  return {
    register: async (policy) => (await open()).register(policy),
    current: async (entities) => (await open()).current(entities),
    add: async (keys) => (await open()).add(keys),
    markStored: async (keyIds) => (await open()).markStored(keyIds),
    find: async (keyIds) => (await open()).find(keyIds),
    addGeneration: async (entity, key) => (await open()).addGeneration(entity, key),
    generationAgeMs: async (entity, generation) => (await open()).generationAgeMs(entity, generation),
    before: async (entity, generation) => (await open()).before(entity, generation),
    destroy: async (keyIds) => (await open()).destroy(keyIds),
    loadCheckpoints: async (lanes) => (await open()).loadCheckpoints(lanes),
    takeOver: async (keys, checkpoints) => (await open()).takeOver(keys, checkpoints),
  };
}
