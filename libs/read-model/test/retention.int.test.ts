import { newEpoch, type RetentionBounds } from '@sluice/event-log';
import { sandboxEnvelope } from '@sluice/event-log/conformance';
import type { Pool } from 'pg';
import { openReadModel, type PrismaReadModel } from '../src';
import { openConnections } from '../src/database';
import { PostgresEventRetention } from '../src/retention/postgres-event-retention';
import { createMigratedDatabase, type FreshDatabase } from './fresh-database';

const BOUNDS: RetentionBounds = { maxEvents: 100, maxBytes: 1_000_000, maxScanned: 1_000 };
const HOUR_MS = 3_600_000;
const POLICY = { workspaceId: 1, family: 'sandbox', maxAgeMs: HOUR_MS } as const;

describe('retention in PostgreSQL', () => {
  let database: FreshDatabase;
  let model: PrismaReadModel;
  let pool: Pool;
  let close: () => Promise<void>;
  beforeEach(async () => {
    database = await createMigratedDatabase();
    model = await openReadModel({ databaseUrl: database.url });
    ({ pool, close } = openConnections({ databaseUrl: database.url }));
  });
  afterEach(async () => {
    await close();
    await model.close();
    await database.drop();
  });

  const record = async (ageMs: number) => {
    const { recorded } = await model.record({ envelopes: [sandboxEnvelope()], parked: [], checkpoints: new Map() });
    await database.query(`
      UPDATE read_model.recorded_events SET recorded_at = recorded_at - ${ageMs}
      WHERE position = ${recorded[0]?.event.position}`);
  };
  const claim = async (now?: () => number) => {
    const work = await new PostgresEventRetention(pool, now).claim('a test', 60_000);
    if (!work) throw new Error('nobody else has it');
    return work;
  };

  it('removes nothing while the clocks of the database and of the process differ by more than a minute', async () => {
    await record(2 * HOUR_MS);
    await model.retention.setPolicy(POLICY);
    for (const offMs of [-90_000, 90_000]) {
      const work = await claim(() => Date.now() + offMs);
      const step = await work.step(BOUNDS);
      expect(step).toEqual({ kind: 'clocks_differ', byMs: expect.any(Number) });
      expect(Math.sign(step.kind === 'clocks_differ' ? step.byMs : 0)).toBe(-Math.sign(offMs));
      await work.release();
    }
    expect(await (await claim()).step(BOUNDS)).toMatchObject({ kind: 'swept', events: 1 });
  });

  it('counts removals on from the clock where the count was lost (G5)', async () => {
    const removed = async () => {
      await record(2 * HOUR_MS);
      const work = await claim();
      expect(await work.step(BOUNDS)).toMatchObject({ kind: 'swept', events: 1 });
      await work.release();
      const [floor] = await database.query('SELECT revision FROM read_model.retention_floors');
      return Number((floor as { revision: string }).revision);
    };
    await model.retention.setPolicy(POLICY);
    const known = await removed();
    await database.query(`SELECT setval('maintenance.removal_revision', 1)`);
    expect(await removed()).toBeGreaterThan(known);
  });

  it('refuses also when a clock jumps in the middle of a round', async () => {
    await record(2 * HOUR_MS);
    await model.retention.setPolicy(POLICY);
    let looks = 0;
    const work = await claim(() => Date.now() + (looks++ === 0 ? 0 : 2 * HOUR_MS));
    expect(await work.step(BOUNDS)).toMatchObject({ kind: 'clocks_differ' });
  });

  it('takes the earlier of both clocks', async () => {
    await record(HOUR_MS + 10_000);
    await model.retention.setPolicy(POLICY);
    const behind = await claim(() => Date.now() - 30_000);
    expect(await behind.step(BOUNDS)).toEqual({ kind: 'done' });
    await behind.release();
    expect(await (await claim(() => Date.now() + 30_000)).step(BOUNDS)).toMatchObject({ events: 1 });
  });

  it('looks at all policies at once, and has a transaction for those alone that are due', async () => {
    await record(2 * HOUR_MS);
    const epoch = newEpoch();
    await database.query(`
      INSERT INTO maintenance.retention_policies (workspace_id, family, max_age_ms, swept_epoch)
      SELECT n, 'sandbox', ${HOUR_MS}, '${epoch}' FROM generate_series(2, 9_999) n`);
    await model.retention.setPolicy(POLICY);
    const work = await claim();
    const connect = jest.spyOn(pool, 'connect');
    expect(await work.step(BOUNDS)).toMatchObject({ kind: 'swept', scope: { workspaceId: 1 }, events: 1 });
    expect(await work.step(BOUNDS)).toEqual({ kind: 'done' });
    // Two looks, a transaction that removes, and one that finds nothing more.
    expect(connect).toHaveBeenCalledTimes(4);
  });
});
