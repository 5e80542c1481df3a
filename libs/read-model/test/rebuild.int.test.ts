import { describeReadModelRebuilds } from '@sluice/event-log/conformance';
import { openReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeReadModelRebuilds('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    open: () => Promise.resolve({ model, rebuilds: model.rebuilds }),
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
