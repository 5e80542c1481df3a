import { execFileSync } from 'node:child_process';
import { createRequire } from 'node:module';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { settle } from '../../bench/read-side.mjs';
import { BATCH_EVENTS, mixedBatches, singles } from './events.mjs';

const { Client } = createRequire(import.meta.url)('pg');
const DURATION_MS = 6_000;

/** Bytes that one event takes in each store. */
export async function measureStoredBytes({ cluster, system, dataDir, startChild, report }) {
  const poster = await startChild();
  const headers = { 'content-type': 'application/json', 'x-api-key': system.apiKey };
  const shapes = [
    { name: 'one at a time', bodies: singles, each: 1 },
    { name: 'batches of 100', bodies: mixedBatches, each: BATCH_EVENTS },
  ];
  const rows = [];
  for (const { name, bodies, each } of shapes) {
    await settle(system);
    const before = await storesOf(cluster, dataDir);
    const load = { url: `${system.ingestUrl}/events`, headers, bodies, connections: 32, warmUpMs: 0 };
    const { acknowledged } = await poster.call('postClosedLoop', { ...load, durationMs: DURATION_MS });
    await settle(system);
    const after = await storesOf(cluster, dataDir);
    const events = acknowledged * each;
    const bytes = Object.fromEntries(
      Object.keys(after).map((key) => [key, (after[key] - (before[key] ?? 0)) / events]),
    );
    rows.push({ shape: name, events, ...bytes });
  }
  await poster.stop();
  report('bytes for each event', rows);
}

async function storesOf({ brokers }, dataDir) {
  const client = new Client({ connectionString: brokers.databaseUrl });
  await client.connect();
  try {
    await client.query('checkpoint');
    const { rows } = await client.query(
      `select relname, pg_table_size(oid)::float8 as data, pg_indexes_size(oid)::float8 as indexes
       from pg_class where oid in ('read_model.recorded_events'::regclass, 'read_model.entities'::regclass)`,
    );
    const wal = await client.query(`select pg_wal_lsn_diff(pg_current_wal_lsn(), '0/0')::float8 as bytes`);
    const kafka = join(dataDir, 'cluster', 'kafka');
    const topics = readdirSync(kafka).filter((each) => each.startsWith('sluice.events'));
    return {
      kafka: segmentsOf(topics.map((each) => join(kafka, each))),
      nats: bytesOf([join(dataDir, 'cluster', 'nats')]),
      ...Object.fromEntries(
        rows.flatMap(({ relname, data, indexes }) => [
          [relname, data],
          [`${relname} indexes`, indexes],
        ]),
      ),
      'WAL written': wal.rows[0].bytes,
    };
  } finally {
    await client.end();
  }
}

const bytesOf = (folders) =>
  execFileSync('du', ['-s', '-b', ...folders], { encoding: 'utf8' })
    .trim()
    .split('\n')
    .reduce((sum, line) => sum + Number(line.split('\t')[0]), 0);

/** Without the indexes of Kafka, which are laid out ahead. */
const segmentsOf = (folders) =>
  folders
    .flatMap((folder) =>
      readdirSync(folder)
        .filter((file) => file.endsWith('.log'))
        .map((file) => join(folder, file)),
    )
    .reduce((sum, file) => sum + bytesOf([file]), 0);
