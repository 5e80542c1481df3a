import { describeApiKeyStore } from '@sluice/access/conformance';
import { openReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeApiKeyStore('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    open: async () => model.apiKeys,
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
