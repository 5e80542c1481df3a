import { removeOldest } from '@sluice/event-log/conformance';
import { describeSessionEvents } from '@sluice/projections/conformance';
import { shareReplicas } from './shared-replicas';

const replicas = shareReplicas();

describeSessionEvents('PostgreSQL', async () => {
  const model = replicas.open();
  return {
    events: model.sessionEvents,
    record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
    removeAll: () => removeOldest(model.retention, Infinity, { family: 'session' }),
    destroy: async () =>
      void (await replicas.query(`
        DELETE FROM read_model.recorded_events;
        DELETE FROM read_model.removed_events;
        DELETE FROM read_model.retention_floors;
        DELETE FROM read_model.entities;
        DELETE FROM read_model.session_events;
        UPDATE read_model.position_counter SET last_position = 0`)),
  };
});
