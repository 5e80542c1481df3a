import { randomUUID } from 'node:crypto';
import { openKafkaDurableLog } from '@sluice/durable-log-kafka';
import { KEY_JOURNAL_GROUP, SealedDurableLog } from '@sluice/durable-log-sealed';
import type { Lane, LogEntity } from '@sluice/event-log';
import {
  describeDurableLog,
  describeLogErasure,
  readTexts,
  sandboxEnvelope,
  until,
} from '@sluice/event-log/conformance';
import { brokerNames, newEventId, type EncodedEnvelope } from '@sluice/event-schema';
import { openReadModel, type PrismaReadModel } from '@sluice/read-model';
import { Client } from 'pg';
import { testDatabaseUrl, testKafkaBrokers } from './config';

/** A log on topics and a database of its own, with every client that a test opens on them. */
class KafkaWorld {
  private readonly names = brokerNames(`test-${randomUUID()}`);
  private readonly database = `test_${randomUUID().replaceAll('-', '')}`;
  private readonly opened: { close(): Promise<void> }[] = [];
  private making: Promise<unknown> | undefined;

  get databaseUrl(): string {
    const url = new URL(testDatabaseUrl());
    url.pathname = `/${this.database}`;
    return url.href;
  }

  async open(): Promise<SealedDurableLog> {
    this.making ??= this.query(`CREATE DATABASE ${this.database}`, testDatabaseUrl());
    await this.making;
    const model: PrismaReadModel = await openReadModel({ databaseUrl: this.databaseUrl, poolSize: 3 });
    const connection = {
      brokers: testKafkaBrokers(),
      clientId: 'sluice-test',
      replicationFactor: 1,
      createTopic: true,
    };
    const { topic, keyTopic, keyGroup } = this.names;
    const log = new SealedDurableLog({
      log: await openKafkaDurableLog({ ...connection, topic, partitions: 2 }),
      journal: await openKafkaDurableLog({
        ...connection,
        topic: keyTopic,
        groupIds: { [KEY_JOURNAL_GROUP]: keyGroup },
        partitions: 1,
        keep: 'newest_of_key',
        limits: { endsMaxAgeMs: 1 },
      }),
      keys: model.entityKeys,
      sealing: true,
      limits: { keyMaxAgeMs: 1_000, catchUpGraceMs: 500 },
    });
    this.opened.push(log, model);
    return log;
  }

  async query(sql: string, url = this.databaseUrl): Promise<readonly Record<string, unknown>[]> {
    const client = new Client({ connectionString: url });
    await client.connect();
    try {
      return (await client.query<Record<string, unknown>>(sql)).rows;
    } finally {
      await client.end();
    }
  }

  async destroy(): Promise<void> {
    for (const opened of this.opened) await opened.close();
    await this.query(`DROP DATABASE IF EXISTS ${this.database} WITH (FORCE)`, testDatabaseUrl());
  }
}

async function createHarness() {
  const world = new KafkaWorld();
  return { open: () => world.open(), destroy: () => world.destroy() };
}

describeDurableLog('sealed, on Kafka with keys in PostgreSQL', createHarness);
describeLogErasure('sealed, on Kafka with keys in PostgreSQL', createHarness);

describe('keys in Kafka and PostgreSQL', () => {
  const ERASED: LogEntity = { workspaceId: 1, family: 'sandbox', entityId: 'sandbox-1' };
  const event = (n: number, entityId: string) => sandboxEnvelope({ id: newEventId(), entityId, data: { n } });
  let world: KafkaWorld;

  beforeEach(() => {
    world = new KafkaWorld();
  });
  afterEach(() => world.destroy());

  const read = async (log: SealedDurableLog) =>
    (await readTexts(log))
      .map((text) => JSON.parse(text) as EncodedEnvelope['event'])
      .map(({ entityId, data }) => `${entityId} ${String(data['n'])}`)
      .sort();

  it('reads everything again when PostgreSQL lost all keys, and nothing that was erased', async () => {
    const log = await world.open();
    await log.append([event(0, ERASED.entityId), event(0, 'kept'), event(1, 'kept')]);
    const { mark } = await log.erasure.begin(ERASED);
    await until(() => log.erasure.isReady(ERASED, mark));
    await log.erasure.finish(ERASED, mark, noEvents());
    await log.append([event(1, ERASED.entityId)]);
    await world.query('DELETE FROM erasure.entity_keys; DELETE FROM erasure.journal_checkpoints');
    const after = await world.open();
    await after.append([event(2, ERASED.entityId), event(2, 'kept')]);
    expect(await read(await world.open())).toEqual(['kept 0', 'kept 1', 'kept 2', 'sandbox-1 1', 'sandbox-1 2']);
    const [row] = await world.query(
      'SELECT count(*)::int AS n FROM erasure.entity_keys WHERE destroyed_at IS NOT NULL',
    );
    expect(row).toEqual({ n: 1 });
  });

  it('destroys a key again that a backup of PostgreSQL brought back', async () => {
    const log = await world.open();
    await log.append([event(0, ERASED.entityId)]);
    await world.query('CREATE TABLE backup AS TABLE erasure.entity_keys');
    const { mark } = await log.erasure.begin(ERASED);
    await until(() => log.erasure.isReady(ERASED, mark));
    await log.erasure.finish(ERASED, mark, noEvents());
    await world.query(`
      DELETE FROM erasure.entity_keys; DELETE FROM erasure.journal_checkpoints;
      INSERT INTO erasure.entity_keys SELECT * FROM backup`);
    const after = await world.open();
    expect(await read(after)).toEqual([]);
    await after.append([event(1, ERASED.entityId)]);
    expect(await read(await world.open())).toEqual(['sandbox-1 1']);
  });

  it('keeps the index up to the journal while somebody follows the log', async () => {
    const log = await world.open();
    const follower = await log.follow({
      group: 'test',
      maxBatchRecords: 100,
      loadCheckpoints: async () => new Map(),
      handle: async () => undefined,
    });
    await log.append(Array.from({ length: 20 }, (_, n) => event(n, `sandbox-${n}`)));
    await until(async () => {
      const [row] = await world.query('SELECT next_index::int AS n FROM erasure.journal_checkpoints WHERE lane = 0');
      return row?.['n'] === 20;
    }, 'the index is there');
    expect((await log.starts()).has(0 as Lane)).toBe(true);
    await follower.stop();
  });
});

async function* noEvents(): AsyncGenerator<readonly EncodedEnvelope[]> {
  yield [];
}
