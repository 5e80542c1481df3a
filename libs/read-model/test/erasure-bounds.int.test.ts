import type { EntityRef, ErasureWork } from '@sluice/event-log';
import type { EncodedEnvelope, SessionEventData } from '@sluice/event-schema';
import { sessionEnvelope, workspaceEnvelope } from '@sluice/projections/conformance';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

const LEASE_MS = 60_000;
const EVENTS = 2_000;
/** Of one transaction. */
const MAX_ROWS = 500;

const SESSION: EntityRef = { workspaceId: 1, family: 'session', entityId: `sesn_${'0'.repeat(31)}1` };
const GROUP: EntityRef = { workspaceId: 1, family: 'workspace', entityId: 'group/g' };

const queued = (n: number): SessionEventData => ({
  id: `sevt_${n}`,
  type: 'user.message',
  processed_at: null,
  content: [{ type: 'text', text: `text ${n}` }],
});
/** Every hundredth event processes what was queued before it. */
const running = (n: number): SessionEventData => ({
  id: `sevt_${n}`,
  type: 'session.status_running',
  processed_at: new Date(n * 1_000).toISOString(),
  sluice: { processed_inputs: [`sevt_${n - 2}`, `sevt_${n - 1}`], run_id: 'srun_1' },
});
const ofSession = (n: number) => sessionEnvelope(n % 100 === 0 ? running(n) : queued(n));
const ofGroup = (n: number) =>
  n === 1
    ? workspaceEnvelope('group_chat_created', {
        group_chat_id: 'g',
        name: 'Release',
        description: '',
        created_by: 'ada',
        workspace_path: '/repo',
        is_global: false,
        settings: { broadcast_mode: 'all', show_thinking: true, history_limit: 10 },
      })
    : workspaceEnvelope('group_chat_message', {
        group_chat_id: 'g',
        session_id: 's',
        message_id: `m${n}`,
        sender_id: 'ada',
        sender_name: 'Ada',
        content: `text ${n}`,
      });

const range = (count: number) => Array.from({ length: count }, (_, n) => n + 1);

/** While what an entity's events made is made anew, nobody records: little may be left to do by then. */
describe('the erasure of an entity with many rows', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    await database.query(`
      CREATE SCHEMA spy;
      CREATE TABLE spy.deleted (txid bigint, rows bigint);
      CREATE FUNCTION spy.note() RETURNS trigger LANGUAGE plpgsql AS
        'BEGIN INSERT INTO spy.deleted SELECT txid_current(), count(*) FROM old_rows; RETURN NULL; END';
      CREATE TRIGGER spy AFTER DELETE ON read_model.session_events REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION spy.note();
      CREATE TRIGGER spy AFTER DELETE ON read_model.workspace_documents REFERENCING OLD TABLE AS old_rows
        FOR EACH STATEMENT EXECUTE FUNCTION spy.note()`);
  });
  afterEach(async () => {
    await model.close();
    await database.drop();
  });

  const record = async (events: readonly EncodedEnvelope[]) => {
    for (let n = 0; n < events.length; n += 1_000)
      await model.record({ envelopes: events.slice(n, n + 1_000), parked: [], checkpoints: new Map() });
  };
  const erase = async (entity: EntityRef, fields: readonly string[] = []): Promise<ErasureWork> => {
    await model.erasures.request({ entity, fields });
    const work = await model.erasures.claim('a worker', LEASE_MS);
    if (!work) throw new Error('there is nothing to do');
    await work.advance('events', { upTo: (await model.head()).position });
    while (await work.eraseEvents());
    await work.projectAnew();
    return work;
  };
  /** Rows that transactions deleted. */
  const deleted = async () => {
    const [row] = await database.query(`
      SELECT coalesce(sum(rows), 0)::int AS total, coalesce(max(rows), 0)::int AS most
      FROM (SELECT sum(rows) AS rows FROM spy.deleted GROUP BY txid) AS of_transactions`);
    return row as { total: number; most: number };
  };
  const left = (table: string) => database.query(`SELECT * FROM read_model.${table} ORDER BY 1, 2, 3`);

  it.each([
    ['session_events', SESSION, ofSession],
    ['workspace_documents', GROUP, ofGroup],
  ] as const)('deletes rows of %s in small transactions', async (table, entity, eventOf) => {
    await record(range(EVENTS).map(eventOf));
    await erase(entity);
    expect(await left(table)).toEqual([]);
    const { total, most } = await deleted();
    expect(total).toBe(EVENTS);
    expect(most).toBeLessThanOrEqual(MAX_ROWS);
  });

  it('touches no row of a session whose text alone has changed', async () => {
    await record(range(EVENTS).map(ofSession));
    const before = await left('session_events');
    await (await erase(SESSION, ['/content/0/text'])).finish();
    expect(await left('session_events')).toEqual(before);
    expect((await deleted()).total).toBe(0);
    // Only rows that an erased field has changed.
    await erase(SESSION, ['/sluice/processed_inputs']);
    const queuedRows = before.map((row) => row as { type: string; processed_at: string | null });
    expect(await left('session_events')).toEqual(
      queuedRows.map((row) => (row.type === 'user.message' ? { ...row, processed_at: null } : row)),
    );
    expect((await deleted()).total).toBe(2 * (EVENTS / 100));
  });
});
