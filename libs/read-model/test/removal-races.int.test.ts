import { BEFORE_FIRST, SluiceError, toPosition, type RetentionBounds } from '@sluice/event-log';
import { removeOldest, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { openReadModel, type PrismaReadModel } from '../src';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

const BOUNDS: RetentionBounds = { maxEvents: 5, maxBytes: 1_000_000, maxScanned: 50 };
const EVENTS = 300;

describe('removing what is too old', () => {
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

  const fill = (count: number) =>
    model.record({
      envelopes: Array.from({ length: count }, () => sandboxEnvelope()),
      parked: [],
      checkpoints: new Map(),
    });
  const everything = async () => {
    const { position: upTo } = await model.head();
    return model.readAll({ after: BEFORE_FIRST, upTo, limit: 10_000 });
  };

  it('leaves each event either there or removed, wherever its process is killed (G4, G6)', async () => {
    await fill(EVENTS);
    await model.retention.setPolicy({ workspaceId: 'default', family: 'sandbox', maxAgeMs: -60_000 });
    let isOver = false;
    const killing = (async () => {
      while (!isOver) {
        await database.query(`
          SELECT pg_terminate_backend(pid) FROM pg_stat_activity
          WHERE datname = current_database() AND pid <> pg_backend_pid() AND query LIKE '%removed_events%'`);
      }
    })();
    let faults = 0;
    let holder = 0;
    const removeAll = async () => {
      const work = await model.retention.claim(`holder ${holder++}`, 1);
      if (work === undefined) return false;
      for (;;) {
        const step = await work.step(BOUNDS);
        const { events, removed, reached } = await everything();
        expect([events.length + removed.length, reached]).toEqual([EVENTS, EVENTS]);
        const { floor } = await model.read({ filter: { workspaceIds: [1] }, limit: 1 });
        expect(removed.at(-1)?.position ?? 0).toBe(floor);
        if (step.kind === 'done') return true;
      }
    };
    await until(async () => {
      try {
        return await removeAll();
      } catch (error) {
        if (!(error instanceof SluiceError)) throw error;
        faults++;
        return false;
      }
    }, 'all is removed');
    isOver = true;
    await killing;
    expect((await everything()).removed).toHaveLength(EVENTS);
    expect(await model.retention.policies()).toMatchObject([{ removedEvents: EVENTS }]);
    expect(faults).toBeGreaterThan(0);
  });

  it('and rebuilding begin one after the other', async () => {
    await fill(10);
    const remover = new Client({ connectionString: database.url });
    await remover.connect();
    try {
      // Who removes has looked whether there is a rebuild, and is not done yet.
      await remover.query('BEGIN');
      await remover.query('LOCK TABLE read_model.removed_events IN ROW EXCLUSIVE MODE');
      await model.rebuilds.request({ positions: 'keep', dropOld: false });
      const work = await model.rebuilds.claim('a builder', 60_000);
      let isPrepared = false;
      const preparing = work?.prepare().then(() => (isPrepared = true));
      await until(async () => {
        const [row] = (await database.query(`
          SELECT count(*)::int AS waiting FROM pg_locks WHERE NOT granted AND mode = 'ShareLock'`)) as [
          { waiting: number },
        ];
        return row.waiting > 0;
      }, 'the rebuild waits');
      expect(isPrepared).toBe(false);
      await remover.query('COMMIT');
      await preparing;
      const entity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-123' } as const;
      const refused = model.removed.removeOfEntity(entity, toPosition(10), BOUNDS);
      await expect(refused).rejects.toMatchObject({ code: 'conflict' });
      await work?.discard();
      await removeOldest(model.retention, 4);
      expect((await everything()).removed).toHaveLength(4);
    } finally {
      await remover.end();
    }
  });
});
