import type { Lane } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { openConnections } from '../src/database';
import { RebuildWorld } from './rebuild-world';

let world: RebuildWorld;
beforeEach(async () => {
  world = await RebuildWorld.create();
});
afterEach(() => world.destroy());
const count = async (table: string) => {
  const [row] = (await world.database.query(`SELECT count(*)::int AS count FROM ${table}`)) as { count: number }[];
  return row?.count;
};
/** How many sessions wait for a lock with such a statement. */
const waiting = async (statement: string) => {
  const rows = await world.database.query(`
    SELECT FROM pg_stat_activity
    WHERE datname = current_database() AND wait_event_type = 'Lock' AND query LIKE '%${statement}%'`);
  return rows.length;
};

it('does not take a live model without its counter for an empty one', async () => {
  const work = await world.begin();
  await world.database.query('DELETE FROM read_model.position_counter');
  await expect(work.remainder(world.log)).rejects.toMatchObject({ code: 'configuration' });
});

it('begins anew when a migration changed the live model meanwhile', async () => {
  const work = await world.begin();
  // One of the tables that are built, and one that is carried over.
  await world.client.query(
    'ALTER TABLE read_model.sandboxes ADD extra text; ALTER TABLE read_model.retention_floors ADD extra text',
  );
  await world.client.query(`
    INSERT INTO read_model.retention_floors (workspace_id, family, position, extra) VALUES (1, 'sandbox', 1, 'x')`);
  expect(await work.switchOver(() => world.settled(work))).toBe('outdated');
  expect((await world.model.head()).position).toBe(20);
  await work.prepare();
  expect(await work.loadCheckpoints([0 as Lane])).toEqual(new Map());
  await world.log.bringTo(work);
  expect(await work.switchOver(() => world.settled(work))).toBe('switched');
  expect((await world.client.query('SELECT extra FROM read_model.sandboxes')).rows).toHaveLength(4);
});

it('begins where the log and the live model begin, after both have forgotten what was first', async () => {
  world.log.forget(0, 6);
  await world.database.query('DELETE FROM read_model.recorded_events WHERE position <= 6');
  const head = await world.model.head();
  await world.switched();
  expect(await world.model.head()).toEqual(head);
  const rows = await world.database.query(
    'SELECT min(position)::int AS first, count(*)::int AS count FROM read_model.recorded_events',
  );
  expect(rows).toEqual([{ first: 7, count: 14 }]);
  world.log.append(0, sandboxEnvelope({ entityId: 'sandbox-0' }));
  const { recorded } = await world.model.record(world.log.recordBatch(0, 20));
  expect(recorded).toMatchObject([{ event: { position: 21, entitySequence: 6 } }]);
});

it('renumbers what is left where the live model has a hole', async () => {
  await world.database.query('DELETE FROM read_model.recorded_events WHERE position = 9');
  const work = await world.begin();
  expect(await work.remainder(world.log)).toMatchObject({ records: 0, events: 12 });
  expect(await work.fillHoles()).toContain('no event at position 9');
  await work.discard('a hole');
  await world.switched('renumber');
  expect((await world.model.head()).position).toBe(20);
});

it('does not switch while migrations are applied', async () => {
  const work = await world.begin();
  await world.client.query('SELECT pg_advisory_lock(72707369)');
  expect(await work.switchOver(() => world.settled(work))).toBe('not_yet');
  await world.client.query('SELECT pg_advisory_unlock(72707369)');
  expect(await work.switchOver(() => world.settled(work))).toBe('switched');
});

it('waits for a transaction that records, and brings over what it recorded', async () => {
  const work = await world.begin();
  world.log.append(0, sandboxEnvelope());
  // Has the counter's row, and is not done.
  await world.client.query('BEGIN');
  await world.client.query('SELECT FROM read_model.position_counter WHERE id = 1 FOR UPDATE');
  let asked = 0;
  const switching = work.switchOver(async () => {
    asked++;
    await world.log.bringTo(work);
    return world.settled(work);
  });
  await until(async () => (await waiting('LOCK TABLE read_model.position_counter')) === 1, 'the switch waits');
  expect(asked).toBe(0);
  await world.client.query(`
    SELECT FROM read_model.record_events(ARRAY[gen_random_uuid()], ARRAY[1], ARRAY['sandbox'], ARRAY['foreign'], ARRAY['x'],
      ARRAY[1]::bigint[], ARRAY['{}'], ARRAY[]::int[], ARRAY[]::bigint[])`);
  await world.client.query('COMMIT');
  // The log does not have what that one recorded: positions cannot be kept.
  expect(await switching).toBe('not_yet');
  expect(await work.fillHoles()).toContain('position 21');
});

it('lets nobody record into the former model who waited for the counter during the switch (G2)', async () => {
  const work = await world.begin();
  world.log.append(0, sandboxEnvelope());
  let recording: Promise<unknown> | undefined;
  const outcome = await work.switchOver(async () => {
    recording = world.model.record(world.log.recordBatch(0, 20));
    recording.catch(() => undefined);
    await until(async () => (await waiting('record_events')) === 1, 'a projector waits');
    return world.settled(work);
  });
  expect(outcome).toBe('switched');
  await expect(recording).resolves.toMatchObject({ recorded: [{ event: { position: 21 } }] });
  expect(await count('read_model_old.recorded_events')).toBe(20);
  expect(await count('read_model_old.sandboxes')).toBe(4);
  expect(await count('read_model.recorded_events')).toBe(21);
  expect(await world.model.loadCheckpoints([0 as Lane])).toEqual(new Map([[0, 21]]));
});

it('refuses whoever comes to the former counter all the same', async () => {
  // A function of before, as a session may have it, on the tables of before.
  const { rows } = await world.client.query<{ definition: string }>(
    `SELECT pg_get_functiondef('read_model.record_events'::regproc) AS definition`,
  );
  await world.switched();
  await world.client.query(rows[0]?.definition.replaceAll('read_model.', 'read_model_old.') ?? '');
  await expect(
    world.client.query(`
      SELECT FROM read_model_old.record_events(ARRAY[gen_random_uuid()], ARRAY[1], ARRAY['sandbox'], ARRAY['late'], ARRAY['x'],
        ARRAY[1]::bigint[], ARRAY['{}'], ARRAY[]::int[], ARRAY[]::bigint[])`),
  ).rejects.toMatchObject({ code: 'P0002' });
  expect(await count('read_model_old.recorded_events')).toBe(20);
});

it('sends those to the new model who replay parked records or renew the lease during the switch', async () => {
  world.log.appendPoison(0, 'no json');
  await world.model.record(world.log.recordBatch(0, 20));
  const work = await world.begin();
  const waiters: Promise<unknown>[] = [];
  // A lock of the same kind, held until all have come: the switch gets it first, then those who write.
  await world.client.query('BEGIN; LOCK TABLE read_model.parked_records, read_model.publisher_lease IN SHARE MODE');
  const switching = work.switchOver(async () => {
    setImmediate(() => void letOthersCome());
    return world.settled(work);
  });
  const letOthersCome = async () => {
    await until(async () => (await waiting('LOCK TABLE read_model.parked_records')) === 1, 'the switch waits');
    waiters.push(world.model.parked.markReplayed([1]), world.model.acquire('publisher', 60_000));
    await until(async () => (await waiting('UPDATE')) === 2, 'others wait');
    await world.client.query('COMMIT');
  };
  expect(await switching).toBe('switched');
  await Promise.all(waiters);
  expect(await world.model.parked.list({ limit: 10 })).toMatchObject([{ parkedId: 1, replayedAt: expect.any(Number) }]);
  expect(await world.model.acquire('another', 60_000)).toBeUndefined();
});

it('leads prepared statements, kept plans and listeners of open connections to the new model', async () => {
  const byName = { name: 'by-name', text: 'SELECT count(*)::int AS count FROM read_model.recorded_events' };
  const inFunction = `SELECT read_model.change_session_events(NULL, NULL, NULL, NULL, '1', 's', 'evt', '1', 'x', 'null')`;
  // A generic plan from the sixth time on.
  for (let n = 0; n < 7; n++) expect((await world.client.query(byName)).rows).toEqual([{ count: 20 }]);
  for (let n = 0; n < 7; n++) await world.client.query(inFunction);
  let heard = 0;
  const listening = await world.model.onRecorded(() => heard++);
  await world.client.query('TRUNCATE read_model.session_events');
  await world.switched();
  world.log.append(0, sandboxEnvelope());
  await until(() => heard > 0, 'the switch is told');
  heard = 0;
  await world.model.record(world.log.recordBatch(0, 20));
  await until(() => heard > 0, 'the commit is told');
  await listening.stop();
  expect((await world.client.query(byName)).rows).toEqual([{ count: 21 }]);
  await world.client.query(inFunction);
  expect(await count('read_model.session_events')).toBe(1);
  expect(await count('read_model_old.session_events')).toBe(0);
});

it('records during the switch what projections take of what was lacking, and parks the rest (G2, G7)', async () => {
  const [rejected, taken] = [sandboxEnvelope({ entityId: 'rejected' }), sandboxEnvelope({ entityId: 'taken' })];
  world.log.append(0, rejected, taken);
  await world.model.record({ envelopes: [], parked: [], checkpoints: new Map([[0 as Lane, { from: 0, to: 22 }]]) });
  const project = ({ entityId }: { readonly entityId: string }) => {
    if (entityId === 'rejected') throw new Error('no such entity');
    return [];
  };
  await world.reopen({ project });
  await world.switched();
  expect((await world.model.findByIds([taken.event.id])).get(taken.event.id)).toMatchObject({ position: 21 });
  expect(await world.model.parked.list({ limit: 10 })).toMatchObject([
    { lane: 0, index: 20, reason: 'projection_failed', eventId: rejected.event.id },
  ]);
  expect((await world.model.head()).position).toBe(21);
});

it('lets others record after a process that holds the counter says nothing any more (G2, G6)', async () => {
  const { pool, close } = openConnections({ databaseUrl: world.database.url, idleInTransactionTimeoutMs: 200 });
  const frozen = await pool.connect();
  const ended = new Promise((resolve) => frozen.on('error', resolve));
  await frozen.query('BEGIN; SELECT FROM read_model.position_counter WHERE id = 1 FOR UPDATE');
  world.log.append(0, sandboxEnvelope());
  await expect(world.model.record(world.log.recordBatch(0, 20))).resolves.toMatchObject({
    recorded: [{ event: { position: 21 } }],
  });
  expect(await ended).toMatchObject({ code: '25P03' });
  frozen.release(true);
  await close();
});

it('drops the former model only when nobody reads it', async () => {
  await world.client.query('BEGIN; SELECT FROM read_model.entities');
  await world.switched();
  const dropping = world.model.rebuilds.dropOld();
  await until(async () => (await waiting('DROP SCHEMA')) === 1, 'the drop waits');
  expect(await count('read_model.entities')).toBe(4);
  await world.client.query('COMMIT');
  expect(await dropping).toBe(true);
});
