import { describeEntityKeys } from '@sluice/event-log/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeEntityKeys('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const opened: PrismaReadModel[] = [];
  return {
    open: async () => {
      const model = await openReadModel({ databaseUrl: database.url });
      opened.push(model);
      return model.entityKeys;
    },
    destroy: async () => {
      await Promise.all(opened.map((model) => model.close()));
      await database.drop();
    },
  };
});
