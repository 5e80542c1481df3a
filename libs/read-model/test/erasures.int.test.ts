import { describeErasures } from '@sluice/event-log/conformance';
import { openReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeErasures('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    open: async () => ({ model, erasures: model.erasures, rebuilds: model.rebuilds }),
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
