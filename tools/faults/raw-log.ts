import { brokerNames } from '@sluice/event-schema';
import { Kafka, logLevel } from 'kafkajs';
import { Client } from 'pg';
import type { ClusterSystem, EmbeddedSystem } from '../../e2e/system';
import { readDatabaseUrl } from './embedded-database';

/** What a foreign producer might write. A record without a value is what compaction knows as a deletion. */
export interface RawRecord {
  readonly key: string;
  readonly value: Buffer | null;
}

/** The names of an installation with the usual prefix. */
export const NAMES = brokerNames('sluice');

/** Writes records straight into the durable log, past every door. */
export async function writeToLog(system: ClusterSystem | EmbeddedSystem, records: readonly RawRecord[]): Promise<void> {
  if (system.engine === 'embedded') return writeToTable(await readDatabaseUrl(system.dataDir), records);
  const { kafkaBrokers } = await system.brokers();
  const kafka = new Kafka({ clientId: 'faults', brokers: kafkaBrokers.split(','), logLevel: logLevel.NOTHING });
  const producer = kafka.producer({ allowAutoTopicCreation: false });
  await producer.connect();
  try {
    await producer.send({ topic: NAMES.topic, acks: -1, messages: [...records] });
  } finally {
    await producer.disconnect();
  }
}

/** The one lane of the embedded log: indexes without a gap, which the row of the lane counts. */
async function writeToTable(databaseUrl: string, records: readonly RawRecord[]): Promise<void> {
  const statement = `
    WITH counter AS (
      UPDATE durable_log.lanes SET next_index = next_index + $2::int WHERE lane = 0
      RETURNING next_index - $2::int AS first
    )
    INSERT INTO durable_log.records (index, value, appended_at)
    SELECT counter.first + line.number - 1, line.value, clock_timestamp()
    FROM counter, unnest($1::bytea[]) WITH ORDINALITY AS line (value, number)`;
  await queryAt(databaseUrl, statement, [records.map(({ value }) => value ?? Buffer.alloc(0)), records.length]);
}

/** Runs one statement on a connection of its own. */
export async function queryAt<T extends object>(databaseUrl: string, text: string, values: unknown[]): Promise<T[]> {
  const client = new Client({ connectionString: databaseUrl });
  client.on('error', () => undefined);
  await client.connect();
  try {
    return (await client.query<T>(text, values)).rows;
  } finally {
    await client.end();
  }
}

/** The database of the read model. */
export async function databaseUrlOf(system: ClusterSystem | EmbeddedSystem): Promise<string> {
  return system.engine === 'embedded' ? readDatabaseUrl(system.dataDir) : (await system.brokers()).databaseUrl;
}
