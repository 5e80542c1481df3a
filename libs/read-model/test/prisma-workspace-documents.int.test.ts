import { describeWorkspaceDocuments } from '@sluice/projections/conformance';
import { openReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeWorkspaceDocuments('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    documents: model.workspaceDocuments,
    record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
