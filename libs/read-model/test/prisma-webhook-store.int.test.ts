import type { WebhookStore } from '@sluice/webhook-delivery';
import { webhookStoreConformance } from '@sluice/webhook-delivery/conformance';
import { openConnections, type Connections } from '../src/database';
import { PrismaWebhookStore } from '../src/prisma-webhook-store';
import { createMigratedDatabase } from './fresh-database';

webhookStoreConformance('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const opened: Connections[] = [];
  return {
    open: async (retention): Promise<WebhookStore> => {
      const connections = openConnections({ databaseUrl: database.url });
      opened.push(connections);
      return new PrismaWebhookStore(connections.database, retention);
    },
    destroy: async () => {
      for (const connections of opened) await connections.close();
      await database.drop();
    },
  };
});
