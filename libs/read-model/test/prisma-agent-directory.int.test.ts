import { describeAgentDirectory } from '@sluice/projections/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

let database: FreshDatabase;
let model: PrismaReadModel;

beforeAll(async () => {
  database = await createMigratedDatabase();
  model = await openReadModel({ databaseUrl: database.url });
});

afterAll(async () => {
  await model.close();
  await database.drop();
});

/** As a read model is when it was made. */
const EMPTY = `
  DELETE FROM read_model.recorded_events;
  DELETE FROM read_model.entities;
  DELETE FROM read_model.agents;
  DELETE FROM read_model.agent_feedback;
  DELETE FROM read_model.agent_feedback_responses;
  UPDATE read_model.position_counter SET last_position = 0;`;

describeAgentDirectory('PostgreSQL', async () => ({
  agents: model.agentDirectory,
  record: async (envelopes) => void (await model.record({ envelopes, parked: [], checkpoints: new Map() })),
  destroy: async () => void (await database.query(EMPTY)),
}));
