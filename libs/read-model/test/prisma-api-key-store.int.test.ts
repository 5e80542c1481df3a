import { describeApiKeyStore } from '@sluice/access/conformance';
import { openReadModel } from '../src';
import { createFreshDatabase } from './fresh-database';

describeApiKeyStore('PostgreSQL', async () => {
  const database = await createFreshDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    open: async () => model.apiKeys,
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
