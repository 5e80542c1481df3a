import type { RebuildWork } from '@sluice/event-log';
import { sandboxEnvelope, ScriptedLog } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { openReadModel, type PrismaReadModel } from '../src';
import { describeStructure } from '../src/rebuild/structure';
import { compareSchema } from './compare-schema';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

let database: FreshDatabase;
let model: PrismaReadModel;
let client: Client;
let log: ScriptedLog;

beforeEach(async () => {
  database = await createMigratedDatabase();
  model = await openReadModel({ databaseUrl: database.url });
  client = new Client({ connectionString: database.url });
  await client.connect();
  log = new ScriptedLog();
  log.append(0, ...Array.from({ length: 20 }, (_, n) => sandboxEnvelope({ entityId: `sandbox-${n % 4}` })));
  await model.record(log.recordBatch(0, 0));
});
afterEach(async () => {
  await client.end();
  await model.close();
  await database.drop();
});

async function begin(): Promise<RebuildWork> {
  await model.rebuilds.request({ positions: 'keep', dropOld: false });
  const work = await model.rebuilds.claim('test', 60_000);
  if (!work) throw new Error('there is nothing to build');
  await work.prepare();
  await log.bringTo(work, 100);
  return work;
}
const settled = async (work: RebuildWork) => {
  const { events, records } = await work.remainder(log);
  return events + records === 0;
};
const switched = async () => {
  const work = await begin();
  expect(await work.switchOver(() => settled(work))).toBe('switched');
};

it('makes what the migrations make, and what an administrator added', async () => {
  await client.query(`
    GRANT USAGE ON SCHEMA read_model TO pg_monitor;
    GRANT SELECT ON read_model.entities TO pg_monitor;
    CREATE FUNCTION read_model.record_events(extra int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM read_model.entities';
    GRANT EXECUTE ON FUNCTION read_model.record_events(int) TO pg_monitor;
    CREATE TRIGGER added_by_hand BEFORE UPDATE ON read_model.retention_floors
      FOR EACH ROW WHEN (NEW.position < 0) EXECUTE FUNCTION read_model.revise_floor();
    CREATE INDEX added_by_hand ON read_model.sandboxes (status) WHERE status <> 'unknown'`);
  const before = await describeStructure(client, 'read_model');
  expect(before.filter((line) => line.startsWith('grant') && line.includes('SELECT')).length).toBeGreaterThan(0);
  await switched();
  expect(await describeStructure(client, 'read_model')).toEqual(before);
  expect((await client.query('SELECT read_model.record_events(1)::int AS count')).rows).toEqual([{ count: 4 }]);
  await client.query(`
    DROP INDEX read_model.added_by_hand;
    DROP TRIGGER added_by_hand ON read_model.retention_floors;
    DROP FUNCTION read_model.record_events(int)`);
  expect(await compareSchema(database.url)).toMatchObject({ exitCode: 0 });
});

it('tells structures apart', async () => {
  const before = await describeStructure(client, 'read_model');
  for (const change of [
    'ALTER TABLE read_model.entities RESET (fillfactor)',
    'ALTER TABLE read_model.sandboxes ADD extra text',
    'ALTER TABLE read_model.recorded_events ALTER envelope DROP NOT NULL',
    'DROP INDEX read_model.recorded_events_workspace_id_position_idx',
    'ALTER FUNCTION read_model.record_events SET enable_seqscan = on',
    'ALTER SEQUENCE read_model.parked_records_parked_id_seq INCREMENT 2',
    'CREATE VIEW read_model.extra AS SELECT 1 AS one',
    'ALTER TABLE read_model.entities ENABLE ROW LEVEL SECURITY',
    'CREATE POLICY own ON read_model.entities USING (workspace_id = 1)',
    'CREATE RULE quiet AS ON DELETE TO read_model.entities DO INSTEAD NOTHING',
    'GRANT SELECT (entity_id) ON read_model.entities TO pg_monitor',
    'ALTER TABLE read_model.entities REPLICA IDENTITY FULL',
    'ALTER TABLE read_model.entities OWNER TO pg_monitor',
    'CREATE PUBLICATION told FOR TABLE read_model.entities',
    'CREATE PUBLICATION all_told FOR TABLES IN SCHEMA read_model',
  ]) {
    await client.query('BEGIN');
    await client.query(change);
    expect([change, await describeStructure(client, 'read_model')]).not.toEqual([change, before]);
    await client.query('ROLLBACK');
  }
  expect(await describeStructure(client, 'read_model')).toEqual(before);
});

it('refuses to rebuild what it cannot make', async () => {
  await client.query('CREATE VIEW read_model.added_by_hand AS SELECT 1 AS one');
  await expect(begin()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('added_by_hand'),
  });
});

it('refuses what readers outside of the schema rest on', async () => {
  await client.query(`
    CREATE SCHEMA reports; CREATE VIEW reports.busy AS SELECT entity_id FROM read_model.entities`);
  const refused = { code: 'configuration', message: expect.stringContaining('reports.busy') };
  await expect(begin()).rejects.toMatchObject(refused);
});

it('says what the database does not allow', async () => {
  await client.query(`CREATE TABLE read_model.broken (at int DEFAULT 1); CREATE FUNCTION read_model.one() RETURNS int
    LANGUAGE sql AS 'SELECT at FROM read_model.broken'; ALTER TABLE read_model.broken RENAME at TO since`);
  await expect(begin()).rejects.toMatchObject({ code: 'configuration', message: expect.stringContaining('"at"') });
});

it('asks for no rebuild while a former model is there', async () => {
  await client.query('CREATE SCHEMA read_model_old');
  await expect(model.rebuilds.request({ positions: 'keep', dropOld: false })).rejects.toMatchObject({
    code: 'conflict',
  });
  await client.query('DROP SCHEMA read_model_old');
  expect(await model.rebuilds.request({ positions: 'keep', dropOld: false })).toMatchObject({ state: 'building' });
});

it('keeps a former model that a view outside of it rests on', async () => {
  await switched();
  await client.query(`
    CREATE SCHEMA reports; CREATE VIEW reports.busy AS SELECT entity_id FROM read_model_old.entities`);
  await expect(model.rebuilds.dropOld()).rejects.toMatchObject({ code: 'conflict' });
  expect((await client.query('SELECT FROM reports.busy')).rows.length).toBeGreaterThan(0);
  await client.query('DROP VIEW reports.busy');
  expect(await model.rebuilds.dropOld()).toBe(true);
});

it('rebuilds a model of which a migration dropped a column', async () => {
  await client.query('ALTER TABLE read_model.sandboxes ADD extra text; ALTER TABLE read_model.sandboxes ADD more text');
  await client.query('ALTER TABLE read_model.sandboxes DROP extra');
  await switched();
  expect((await client.query('SELECT more FROM read_model.sandboxes')).rows).toHaveLength(4);
});
