import { chainStoreConformance } from '@sluice/agent-registry/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

chainStoreConformance('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const opened: PrismaReadModel[] = [];
  return {
    open: async () => {
      const model = await openReadModel({ databaseUrl: database.url });
      opened.push(model);
      return model.chainStore;
    },
    destroy: async () => {
      for (const model of opened) await model.close();
      await database.drop();
    },
  };
});
