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
  | 'apiKeys'
  | 'sandboxes'
  | 'workspaceDocuments'
  | 'agentDirectory'
  | 'sessionEvents'
  | 'chainStore'
  | 'sessionStore'
  | 'sessionDocuments'
  | 'webhookStore'
> {
  const open: () => Promise<PrismaReadModel> = once(async () => {
    const { openReadModel } = await import('@sluice/read-model');
    return closables.keep(openReadModel(database));
  });
  return {
    readModel: open,
    readModelRebuilds: async () => (await open()).rebuilds,
    apiKeys: async () => (await open()).apiKeys,
    sandboxes: async () => (await open()).sandboxes,
    workspaceDocuments: async () => (await open()).workspaceDocuments,
    agentDirectory: async () => (await open()).agentDirectory,
    sessionEvents: async () => (await open()).sessionEvents,
    chainStore: async () => (await open()).chainStore,
    sessionStore: async () => (await open()).sessionStore,
    sessionDocuments: async () => (await open()).sessionDocuments,
    webhookStore: async () => (await open()).webhookStore,
  };
}
