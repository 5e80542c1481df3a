import { describeRemoval } from '@sluice/event-log/conformance';
import { openReadModel } from '../src';
import { createMigratedDatabase } from './fresh-database';

describeRemoval('PostgreSQL', async () => {
  const database = await createMigratedDatabase();
  const model = await openReadModel({ databaseUrl: database.url });
  return {
    model,
    recordAged: async (envelopes, ageMs) => {
      const outcome = await model.record({ envelopes, parked: [], checkpoints: new Map() });
      const positions = outcome.recorded.map(({ event }) => event.position).join(', ');
      await database.query(
        `UPDATE read_model.recorded_events SET recorded_at = recorded_at - ${ageMs} WHERE position IN (${positions})`,
      );
      return outcome;
    },
    destroy: async () => {
      await model.close();
      await database.drop();
    },
  };
});
