import { describeReadModel, rejectPoison } from '@sluice/event-log/conformance';
import { projectEvent } from '@sluice/projections';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeReadModel('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const opened: PrismaReadModel[] = [];
  return {
    open: async () => {
      const model = await openReadModel({
        databaseUrl: database.url,
        project: (event) => {
          rejectPoison(event);
          return projectEvent(event);
        },
      });
      opened.push(model);
      return model;
    },
    destroy: async () => {
      await Promise.all(opened.map((model) => model.close()));
      await database.drop();
    },
  };
});
