import { describeStructure } from '../src/rebuild/structure';
import { compareSchema } from './compare-schema';
import { RebuildWorld } from './rebuild-world';

let world: RebuildWorld;
beforeEach(async () => {
  world = await RebuildWorld.create();
});
afterEach(() => world.destroy());

it('makes what the migrations make, and what an administrator added', async () => {
  await world.client.query(`
    GRANT USAGE ON SCHEMA read_model TO pg_monitor;
    GRANT SELECT ON read_model.entities TO pg_monitor;
    CREATE FUNCTION read_model.record_events(extra int) RETURNS bigint LANGUAGE sql AS 'SELECT count(*) FROM read_model.entities';
    GRANT EXECUTE ON FUNCTION read_model.record_events(int) TO pg_monitor;
    CREATE TRIGGER added_by_hand BEFORE UPDATE ON read_model.retention_floors
      FOR EACH ROW WHEN (NEW.position < 0) EXECUTE FUNCTION read_model.revise_floor();
    CREATE INDEX added_by_hand ON read_model.sandboxes (status) WHERE status <> 'unknown'`);
  const before = await describeStructure(world.client, 'read_model');
  expect(before.filter((line) => line.startsWith('grant') && line.includes('SELECT')).length).toBeGreaterThan(0);
  await world.switched();
  expect(await describeStructure(world.client, 'read_model')).toEqual(before);
  expect((await world.client.query('SELECT read_model.record_events(1)::int AS count')).rows).toEqual([{ count: 4 }]);
  await world.client.query(`
    DROP INDEX read_model.added_by_hand;
    DROP TRIGGER added_by_hand ON read_model.retention_floors;
    DROP FUNCTION read_model.record_events(int)`);
  expect(await compareSchema(world.database.url)).toMatchObject({ exitCode: 0 });
});

it('tells structures apart', async () => {
  const before = await describeStructure(world.client, 'read_model');
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
    await world.client.query('BEGIN');
    await world.client.query(change);
    expect([change, await describeStructure(world.client, 'read_model')]).not.toEqual([change, before]);
    await world.client.query('ROLLBACK');
  }
  expect(await describeStructure(world.client, 'read_model')).toEqual(before);
});

it('refuses to rebuild what it cannot make', async () => {
  await world.client.query('CREATE VIEW read_model.added_by_hand AS SELECT 1 AS one');
  await expect(world.begin()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('added_by_hand'),
  });
});

it('refuses what readers outside of the schema rest on', async () => {
  await world.client.query(`
    CREATE SCHEMA reports; CREATE VIEW reports.busy AS SELECT entity_id FROM read_model.entities`);
  const refused = { code: 'configuration', message: expect.stringContaining('reports.busy') };
  await expect(world.begin()).rejects.toMatchObject(refused);
});

it('says what the database does not allow', async () => {
  await world.client
    .query(`CREATE TABLE read_model.broken (at int DEFAULT 1); CREATE FUNCTION read_model.one() RETURNS int
    LANGUAGE sql AS 'SELECT at FROM read_model.broken'; ALTER TABLE read_model.broken RENAME at TO since`);
  await expect(world.begin()).rejects.toMatchObject({
    code: 'configuration',
    message: expect.stringContaining('"at"'),
  });
});

it('asks for no rebuild while a former model is there', async () => {
  await world.client.query('CREATE SCHEMA read_model_old');
  await expect(world.model.rebuilds.request({ positions: 'keep', dropOld: false })).rejects.toMatchObject({
    code: 'conflict',
  });
  await world.client.query('DROP SCHEMA read_model_old');
  expect(await world.model.rebuilds.request({ positions: 'keep', dropOld: false })).toMatchObject({
    state: 'building',
  });
});

it('keeps a former model that a view outside of it rests on', async () => {
  await world.switched();
  await world.client.query(`
    CREATE SCHEMA reports; CREATE VIEW reports.busy AS SELECT entity_id FROM read_model_old.entities`);
  await expect(world.model.rebuilds.dropOld()).rejects.toMatchObject({ code: 'conflict' });
  expect((await world.client.query('SELECT FROM reports.busy')).rows.length).toBeGreaterThan(0);
  await world.client.query('DROP VIEW reports.busy');
  expect(await world.model.rebuilds.dropOld()).toBe(true);
});

it('rebuilds a model of which a migration dropped a column', async () => {
  await world.client.query(
    'ALTER TABLE read_model.sandboxes ADD extra text; ALTER TABLE read_model.sandboxes ADD more text',
  );
  await world.client.query('ALTER TABLE read_model.sandboxes DROP extra');
  await world.switched();
  expect((await world.client.query('SELECT more FROM read_model.sandboxes')).rows).toHaveLength(4);
});
