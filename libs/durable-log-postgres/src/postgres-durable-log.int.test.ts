import { describeDurableLog, describeLogErasure, sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { Client } from 'pg';
import { openPostgresDurableLog } from './postgres-durable-log';
import { TRY_LOCK } from './sql';
import { testDatabaseUrl } from './testing/config';
import { Projection, range, TestLog } from './testing/test-log';

describeDurableLog('PostgreSQL', () => TestLog.create());
describeLogErasure('PostgreSQL', () => TestLog.create());

describe('PostgresDurableLog', () => {
  let test: TestLog;
  beforeEach(async () => {
    test = await TestLog.create();
  });
  afterEach(() => test?.destroy());

  const some = (count: number, data: Record<string, unknown> = {}) =>
    range(count).map((n) => sandboxEnvelope({ entityId: `sandbox-${n % 5}`, data: { n, ...data } }));

  it('can be opened by many processes at once', async () => {
    const logs = await Promise.all(range(8).map(() => test.open()));
    await Promise.all(logs.map((log) => log.append(some(1))));
    expect(await test.indexes()).toEqual(range(8));
  });

  it('gives two writers contiguous indexes, and a reader in the middle sees them in order without a hole', async () => {
    const [a, b, reader] = [await test.open(), await test.open(), await test.open()];
    const projection = new Projection();
    await reader.follow(projection.options());
    await Promise.all(
      [a, b].map(async (log) => {
        for (const size of range(40)) await Promise.all([log.append(some(1 + (size % 7))), log.append(some(2))]);
      }),
    );
    const total = 2 * range(40).reduce((sum, size) => sum + 3 + (size % 7), 0);
    await until(() => projection.records.length >= total, 'all records are read');
    expect(projection.indexes).toEqual(range(total));
    expect(await test.indexes()).toEqual(range(total));
  });

  it('commits appends that wait together in one transaction', async () => {
    const batches: number[] = [];
    const log = await test.open({ onBatch: ({ events }) => batches.push(events) });
    await Promise.all(range(300).map(() => log.append(some(1))));
    expect(batches.reduce((sum, events) => sum + events, 0)).toBe(300);
    expect(batches.length).toBeLessThan(100);
  });

  it('waits for the disk even where the database was told not to', async () => {
    const lax = new URL(testDatabaseUrl());
    lax.searchParams.set('options', '-c synchronous_commit=off');
    const log = await test.open({ databaseUrl: lax.href });
    await test.client.query(`CREATE TABLE ${test.schema}.seen (setting text)`);
    // Runs when the statement is done, just before the commit.
    await test.client.query(`
      CREATE FUNCTION ${test.schema}.note() RETURNS trigger LANGUAGE plpgsql AS $$
      BEGIN INSERT INTO ${test.schema}.seen VALUES (current_setting('synchronous_commit')); RETURN NULL; END $$`);
    await test.client.query(`
      CREATE TRIGGER note AFTER INSERT ON ${test.schema}.records EXECUTE FUNCTION ${test.schema}.note()`);
    await log.append(some(1));
    expect((await test.client.query(`SELECT setting FROM ${test.schema}.seen`)).rows).toEqual([{ setting: 'on' }]);
  });

  it('refuses what is above its bound, and takes more once the rest is stored', async () => {
    const log = await test.open({ limits: { maxQueuedEvents: 50 } });
    const results = await Promise.allSettled(range(80).map(() => log.append(some(1))));
    const refused = results.filter((result) => result.status === 'rejected');
    expect(refused).toHaveLength(30);
    expect(refused[0]?.reason).toMatchObject({ code: 'overloaded', retryable: true });
    await log.append(some(1));
    expect(await test.indexes()).toEqual(range(51));
  });

  it('stores all of a transaction or nothing of it', async () => {
    const log = await test.open();
    await log.append(some(2));
    await test.client.query(
      `ALTER TABLE ${test.schema}.records ADD CONSTRAINT small CHECK (octet_length(value) < 1000)`,
    );
    const broken = [...some(3), sandboxEnvelope({ data: { blob: 'x'.repeat(2_000) } })];
    await expect(log.append(broken)).rejects.toMatchObject({ code: 'log_unavailable', retryable: true });
    await log.append(some(1));
    expect(await test.indexes()).toEqual([0, 1, 2]);
  });

  it('reads large records in bounded batches', async () => {
    const log = await test.open();
    for (const _ of range(6)) await log.append(some(8, { blob: 'x'.repeat(240_000) }));
    const projection = new Projection();
    await log.follow(projection.options());
    await until(() => projection.records.length >= 48, 'all records are read');
    expect(projection.indexes).toEqual(range(48));
    expect(Math.max(...projection.batchSizes)).toBeLessThanOrEqual(35);
    expect(projection.batchSizes.length).toBeLessThanOrEqual(4);
  });

  it('survives the end of all its connections, writing and following', async () => {
    const faults: unknown[] = [];
    const log = await test.open({ onFault: (error) => faults.push(error) });
    const projection = new Projection();
    await log.follow(projection.options({ onFault: (error) => faults.push(error) }));
    const acknowledged: string[] = [];
    const writing = (async () => {
      for (const n of range(300)) {
        const envelope = sandboxEnvelope({ data: { n } });
        await until(
          () =>
            log.append([envelope]).then(
              () => true,
              (error: unknown) => {
                expect(error).toMatchObject({ code: 'log_unavailable' });
                return false;
              },
            ),
          'the append succeeds',
        );
        acknowledged.push(envelope.json);
      }
    })();
    for (const round of range(3)) {
      await until(() => acknowledged.length > round * 60 && projection.records.length > round * 60, 'both are at work');
      // Just after the last round there may be no connection to end.
      await until(async () => (await test.terminateBackends()) > 0, 'a connection is ended');
    }
    await writing;
    await until(() => acknowledged.every((text) => projection.texts.includes(text)), 'everything is read');
    expect(projection.indexes).toEqual(range(projection.records.length));
    expect(faults.length).toBeGreaterThan(0);
    await log.check();
  });

  it('has one active follower in a group, and another takes over when it is closed', async () => {
    const [first, second] = [await test.open(), await test.open()];
    const shared = new Projection();
    const handledBy: string[] = [];
    const followAs = (name: string) =>
      shared.options({
        handle: async (batch) => {
          handledBy.push(name);
          await shared.options().handle(batch);
        },
      });
    await first.follow(followAs('first'));
    await first.append(some(10));
    await until(() => shared.records.length === 10, 'the first follower reads');
    await second.follow(followAs('second'));
    await second.append(some(10));
    await until(() => shared.records.length === 20, 'the first follower reads on');
    expect(new Set(handledBy)).toEqual(new Set(['first']));
    await first.close();
    await second.append(some(10));
    await until(() => shared.records.length === 30, 'the second follower reads');
    expect(handledBy.at(-1)).toBe('second');
    expect(shared.indexes).toEqual(range(30));
  });

  it('stands by while a process that is gone without a word still has its connection, and takes over when that ends', async () => {
    const holder = new Client({ connectionString: testDatabaseUrl() });
    holder.on('error', () => undefined);
    await holder.connect();
    await holder.query(TRY_LOCK, [`${test.schema}/group/projector`]);
    const log = await test.open();
    const [standby, other] = [new Projection(), new Projection()];
    await log.follow(standby.options());
    await log.follow(other.options({ group: 'other' }));
    await log.append(some(5));
    await until(() => other.records.length === 5, 'another group reads');
    expect(standby.records).toEqual([]);
    const { rows } = await holder.query<{ pid: number }>('SELECT pg_backend_pid() AS pid');
    await test.client.query('SELECT pg_terminate_backend($1)', [rows[0]?.pid]);
    await until(() => standby.records.length === 5, 'the follower takes over');
    await holder.end().catch(() => undefined);
  });

  it('gives two groups everything each', async () => {
    const log = await test.open();
    const [one, two] = [new Projection(), new Projection()];
    await log.follow(one.options({ group: 'one' }));
    await log.follow(two.options({ group: 'two' }));
    await log.append(some(20));
    await until(() => one.records.length === 20 && two.records.length === 20, 'both read everything');
  });

  it('hears of appends by another process long before it would look by itself', async () => {
    const [writer, reader] = [await test.open(), await test.open()];
    const projection = new Projection();
    await reader.follow(projection.options());
    await writer.append(some(1));
    await until(() => projection.records.length === 1, 'the follower is at work');
    // Found by looking alone, each after seconds, they would take longer than the time of a test.
    for (const n of range(50)) {
      await writer.append(some(1));
      await until(() => projection.records.length === n + 2, 'the record is read');
    }
  });

  it('begins where its first record is, and without records where the next one will be', async () => {
    const log = await test.open();
    const start = async () => (await log.starts()).values().next().value;
    expect(await start()).toBe(0);
    await log.append(some(5));
    await test.client.query(`DELETE FROM ${test.schema}.records WHERE index < 3`);
    expect(await start()).toBe(3);
    await test.client.query(`DELETE FROM ${test.schema}.records`);
    expect(await start()).toBe(5);
  });

  it('says clearly that there is no database, and refuses unusable schema names', async () => {
    const databaseUrl = 'postgresql://nobody@127.0.0.1:1/none';
    await expect(openPostgresDurableLog({ databaseUrl })).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(test.open({ schema: 'a"; DROP SCHEMA public; --' })).rejects.toThrow(RangeError);
  });

  it('lets appends in hand finish when it is closed', async () => {
    const log = await test.open();
    const appends = range(20).map(() => log.append(some(1)));
    await log.close();
    await Promise.all(appends);
    expect(await test.indexes()).toEqual(range(20));
    await expect(log.check()).rejects.toMatchObject({ code: 'log_unavailable' });
    await expect(log.follow(new Projection().options())).rejects.toMatchObject({ code: 'log_unavailable' });
  });

  it('leaves no connection behind', async () => {
    const log = await test.open();
    await log.follow(new Projection().options());
    await log.append(some(1));
    await log.close();
    const observer = new Client({ connectionString: testDatabaseUrl() });
    await observer.connect();
    await until(async () => {
      const { rowCount } = await observer.query('SELECT 1 FROM pg_stat_activity WHERE application_name = $1', [
        `sluice-${test.schema}`,
      ]);
      return rowCount === 0;
    }, 'all connections are closed');
    await observer.end();
  });
});
