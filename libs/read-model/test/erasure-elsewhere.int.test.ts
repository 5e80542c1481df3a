import type { EntityRef, ErasureWork } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

const LEASE_MS = 60_000;
const SESSION = 'sesn_00000000000000000000000000000001';
const ENTITY: EntityRef = { workspaceId: 1, family: 'session', entityId: SESSION };
const MARKER = 'what-is-to-go';

/** What apps keep beside the log goes with an entity. */
describe('an erasure, beside the log', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    model = await openReadModel({ databaseUrl: database.url });
  });
  afterEach(async () => {
    await model.close();
    await database.drop();
  });

  const event = (entity: EntityRef, n = 1) => sandboxEnvelope({ ...entity, type: 'custom', data: { text: MARKER, n } });
  const record = (...envelopes: ReturnType<typeof event>[]) =>
    model.record({ envelopes, parked: [], checkpoints: new Map() });
  const begin = async (entity: EntityRef, fields: readonly string[] = []): Promise<ErasureWork> => {
    await model.erasures.request({ entity, fields });
    const work = await model.erasures.claim('a worker', LEASE_MS);
    if (!work) throw new Error('there is nothing to do');
    await work.advance('events', { upTo: (await model.head()).position });
    while (await work.eraseEvents());
    return work;
  };
  const count = async (table: string, condition = 'true') => {
    const [row] = (await database.query(`SELECT count(*)::int AS n FROM ${table} WHERE ${condition}`)) as {
      n: number;
    }[];
    return row?.n;
  };
  const refusal = (entity: EntityRef) =>
    model.erasures.request({ entity, fields: [] }).then(
      () => 'taken',
      ({ code, message }: { code: string; message: string }) => `${code}: ${message}`,
    );

  const insertSession = (id: string, workspaceId: number, deletedAt: string) =>
    database.query(`
      INSERT INTO agent_sessions.sessions (session_id, workspace_id, version, last_sequence, created_at, deleted_at, archived,
        status, agent_id, agent_version, agent_hash, agent, state)
      VALUES ('${id}', ${workspaceId}, 2, 3, 1, ${deletedAt}, false, 'idle', 'agent_1', 1, 'hash', '{}', '{"title":"${MARKER}"}')`);
  const insertRest = (id: string, workspaceId: number) =>
    database.query(`
      INSERT INTO agent_sessions.events SELECT '${id}', 'sevt_' || n, 'agent.message' FROM generate_series(1, 6000) n;
      INSERT INTO agent_sessions.receipts (session_id, key, request_hash, answer, taken_at)
        VALUES ('${id}', 'k', 'h', '{"text":"${MARKER}"}', now()), ('create/1', '${id}', 'h', '{"id":"${id}","title":"${MARKER}"}', now());
      INSERT INTO agent_sessions.documents (workspace_id, kind, id, parent_id, created_at, updated_at, archived, version, size_bytes, fields)
        VALUES (${workspaceId}, 'file', 'file_${id}', '${id}', 1, 1, false, 1, 7,
            '{"filename":"${MARKER}","size_bytes":7,"bytes_id":"bytes_${id}"}'),
          (${workspaceId}, 'repository_token', 'tok_${id}', '${id}', 1, 1, false, 1, NULL, '{"authorization_token":"${MARKER}"}')`);

  it('asks for the end of a session first, and that it has been told', async () => {
    await record(event(ENTITY));
    await insertSession(SESSION, 1, 'NULL');
    expect(await refusal(ENTITY)).toBe('conflict: The session is there: delete it first');
    await database.query(`UPDATE agent_sessions.sessions SET deleted_at = now();
      INSERT INTO agent_sessions.outbox VALUES ('${SESSION}', 1, now(), '{}')`);
    expect(await refusal(ENTITY)).toMatch(/^conflict: The end of the session/);
    await database.query('DELETE FROM agent_sessions.outbox');
    expect(await refusal(ENTITY)).toBe('taken');
  });

  it('takes all that is kept of a session, and leaves its files to the sweep of its app', async () => {
    const other = SESSION.replace(/1$/, '2');
    await record(event(ENTITY));
    for (const id of [SESSION, other]) {
      await insertSession(id, 1, 'now()');
      await insertRest(id, 1);
    }
    // Another workspace may have given it as the name of something.
    await database.query(`INSERT INTO agent_sessions.receipts (session_id, key, request_hash, answer, taken_at)
      VALUES ('create/2', 'k', 'h', '{"title":"${SESSION}"}', now())`);
    const work = await begin(ENTITY);
    const outcomes: string[] = [];
    do outcomes.push(await work.eraseElsewhere());
    while (outcomes.at(-1) === 'more');
    expect(outcomes).toEqual(['more', 'waiting']);
    for (const table of ['sessions', 'events', 'receipts']) {
      expect({ table, n: await count(`agent_sessions.${table}`, `session_id = '${SESSION}'`) }).toEqual({
        table,
        n: 0,
      });
      expect(await count(`agent_sessions.${table}`, `session_id = '${other}'`)).toBeGreaterThan(0);
    }
    expect(await count('agent_sessions.receipts', `session_id = 'create/1' AND answer LIKE '%${SESSION}%'`)).toBe(0);
    expect(await count('agent_sessions.receipts', `session_id = 'create/2'`)).toBe(1);
    expect(await model.sessionDocuments.find(1, 'file', `file_${SESSION}`)).toBeUndefined();
    expect(await model.sessionDocuments.find(1, 'repository_token', `tok_${SESSION}`)).toBeUndefined();
    expect(await model.sessionDocuments.find(1, 'file', `file_${other}`)).toBeDefined();
    // What is left over is found by the sweep, and then the erasure goes on.
    const notes = await model.sessionDocuments.expired('file_bytes', Date.now(), 10);
    expect(notes).toMatchObject([{ id: `bytes_${SESSION}`, workspaceId: 1, fields: { size_bytes: 0 } }]);
    expect(await model.sessionDocuments.sum(1, 'file', 'size_bytes')).toBe(7);
    expect(await work.eraseElsewhere()).toBe('waiting');
    await model.sessionDocuments.remove(1, 'file_bytes', `bytes_${SESSION}`);
    expect(await work.eraseElsewhere()).toBe('done');
    expect(
      JSON.stringify(await database.query(`SELECT * FROM agent_sessions.documents WHERE parent_id = '${SESSION}'`)),
    ).toBe('[]');
  });

  it('holds the erasure for nobody while samples are taken: that may take long', async () => {
    await record(event(ENTITY));
    const work = await begin(ENTITY);
    const blocker = new Client({ connectionString: database.url });
    await blocker.connect();
    await blocker.query('BEGIN; LOCK TABLE agent_sessions.sessions IN SHARE UPDATE EXCLUSIVE MODE');
    const erased = work.eraseElsewhere();
    const waiting = `datname = current_database() AND query LIKE 'ANALYZE%' AND wait_event_type = 'Lock'`;
    await until(async () => (await count('pg_stat_activity', waiting)) === 1, 'samples are being taken');
    await work.renew(LEASE_MS);
    await blocker.end();
    expect(await erased).toBe('done');
  });

  it('leaves the session of another workspace alone that has the name (G8)', async () => {
    await record(event(ENTITY));
    await insertSession(SESSION, 2, 'now()');
    await insertRest(SESSION, 2);
    const work = await begin(ENTITY);
    expect(await work.eraseElsewhere()).toBe('done');
    expect(await count('agent_sessions.sessions')).toBe(1);
    expect(await count('agent_sessions.events')).toBe(6_000);
    expect(await model.sessionDocuments.find(2, 'file', `file_${SESSION}`)).toBeDefined();
  });

  it('takes what endpoints of its workspace answered, and dead letters of events that are gone', async () => {
    const [mine, other] = [
      { ...ENTITY, family: 'sandbox', entityId: 'a' } as const,
      { ...ENTITY, family: 'sandbox', entityId: 'b' } as const,
    ];
    const { recorded } = await record(event(mine), event(mine, 2), event(other));
    const ids = recorded.map(({ event: { id } }) => id);
    await database.query(`
      INSERT INTO webhooks.endpoints (endpoint_id, workspace_id, version, endpoint, expires_at, epoch, position)
      VALUES ('whk_1', 1, 1, '{}', now(), 'e', 0), ('whk_2', 2, 1, '{}', now(), 'e', 0);
      INSERT INTO webhooks.deliveries
      SELECT w, n, 1, json_build_object('eventId', id, 'answer', '${MARKER}')::text
      FROM unnest(ARRAY['whk_1', 'whk_2']) w, unnest(ARRAY['${ids.join("', '")}', 'reset_1']) WITH ORDINALITY AS e (id, n);
      INSERT INTO webhooks.dead_letters
      SELECT 'whk_1', n, 1, NULL, json_build_object('eventId', id)::text FROM unnest(ARRAY['${ids.join("', '")}']) WITH ORDINALITY AS e (id, n)`);
    const left = async (table: string) =>
      (
        (await database.query(`SELECT * FROM webhooks.${table} WHERE endpoint_id = 'whk_1' ORDER BY 2`)) as object[]
      ).map((row) => Object.values(row)[1]);
    const fields = await begin(mine, ['/text']);
    expect(await fields.eraseElsewhere()).toBe('done');
    await fields.finish();
    // Events that are there still can be sent again.
    expect([await left('deliveries'), await left('dead_letters')]).toEqual([
      ['3', '4'],
      ['1', '2', '3'],
    ]);
    const whole = await begin(mine);
    expect(await whole.eraseElsewhere()).toBe('done');
    expect([await left('deliveries'), await left('dead_letters')]).toEqual([['3', '4'], ['3']]);
    expect(await count('webhooks.deliveries', `endpoint_id = 'whk_2'`)).toBe(4);
  });

  it('erases no fields of an entity of which retention has removed events, unless an erasure took those before', async () => {
    const sandbox = { ...ENTITY, family: 'sandbox', entityId: 'a' } as const;
    await record(event(sandbox), event(sandbox, 2));
    await model.removed.removeOfEntity(sandbox, (await model.head()).position, { maxEvents: 1, maxBytes: 1e6 });
    await expect(model.erasures.request({ entity: sandbox, fields: ['/text'] })).rejects.toMatchObject({
      code: 'conflict',
      where: 'fields',
    });
    await (await begin(sandbox)).finish();
    await record(event(sandbox, 3));
    expect(await model.erasures.request({ entity: sandbox, fields: ['/text'] })).toMatchObject({ fields: ['/text'] });
  });
});
