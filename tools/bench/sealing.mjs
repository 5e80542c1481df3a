// What sealing the durable log costs: the same log with and without it, in turns, on the same brokers. See README.md.
//
//     npm run build
//     SLUICE_TEST_KAFKA_BROKERS=… SLUICE_TEST_DATABASE_URL=… node tools/bench/sealing.mjs [--rounds 5] [--events 40000]
import { randomUUID } from 'node:crypto';
import { parseArgs } from 'node:util';
import { openKafkaDurableLog } from '@sluice/durable-log-kafka';
import { KEY_JOURNAL_GROUP, SealedDurableLog } from '@sluice/durable-log-sealed';
import { brokerNames, encodeEnvelope, newEventId } from '@sluice/event-schema';
import { openReadModel } from '@sluice/read-model';
import { openDatabases } from '../registry-simulation/databases.mjs';
import { median, pairedRatio } from './statistics.mjs';

const CALLERS = 32;
const ENTITIES = 500;
const PARTITIONS = 12;
const KINDS = ['open', 'sealed'];

const { values } = parseArgs({
  options: { rounds: { type: 'string', default: '5' }, events: { type: 'string', default: '40000' } },
});
const rounds = Number(values.rounds);
const events = Number(values.events);
const brokers = process.env.SLUICE_TEST_KAFKA_BROKERS?.split(',');
if (!brokers) throw new Error('SLUICE_TEST_KAFKA_BROKERS must name Kafka brokers');

const event = (entityId, n) =>
  encodeEnvelope({
    id: newEventId(),
    family: 'sandbox',
    entityId,
    workspaceId: 1,
    type: 'custom.bench',
    schemaVersion: 1,
    occurredAt: Date.now(),
    data: { n, text: 'x'.repeat(200) },
  });

/** Runs it, and tells its rate and the processor time of this process. */
async function timed(count, work) {
  const [startedAt, cpu] = [performance.now(), process.cpuUsage()];
  await work();
  const seconds = (performance.now() - startedAt) / 1000;
  const { user, system } = process.cpuUsage(cpu);
  return { perSecond: count / seconds, cpuUsPerEvent: (user + system) / count };
}

/** Each caller appends one event after the other, as requests do. */
const appendAll = (log, made) =>
  Promise.all(
    Array.from({ length: CALLERS }, async (_, caller) => {
      for (let n = caller; n < made.length; n += CALLERS) await log.append([made[n]]);
    }),
  );

/** Reads all of it once, in batches as a projector does. @returns bytes of the records as they are given */
async function readAll(log, count) {
  let [seen, bytes] = [0, 0];
  const reached = new Map();
  let done;
  const finished = new Promise((resolve) => (done = resolve));
  const follower = await log.follow({
    group: `bench-${randomUUID()}`,
    maxBatchRecords: 1_000,
    loadCheckpoints: async () => new Map(reached),
    handle: async ({ records, checkpoints }) => {
      for (const [lane, { to }] of checkpoints) reached.set(lane, to);
      for (const { value } of records) bytes += value.byteLength;
      seen += records.length;
      if (seen >= count) done();
    },
  });
  await finished;
  await follower.stop();
  return bytes;
}

/** One log with its topics; of both kinds the topics and the clients are made alike. */
async function openLog(kind, keys) {
  const names = brokerNames(`bench-${randomUUID()}`);
  const options = { brokers, clientId: 'sluice-bench', replicationFactor: 1, createTopic: true };
  const open = () => openKafkaDurableLog({ ...options, topic: names.topic, partitions: PARTITIONS });
  const plain = await open();
  if (kind === 'open') return { log: plain, plain };
  const journal = await openKafkaDurableLog({
    ...options,
    topic: names.keyTopic,
    groupIds: { [KEY_JOURNAL_GROUP]: names.keyGroup },
    partitions: 1,
    keep: 'newest_of_key',
    limits: { endsMaxAgeMs: 1 },
  });
  return { log: new SealedDurableLog({ log: await open(), journal, keys, sealing: true }), plain };
}

/** Appending to known entities, to new ones, and reading all of that. */
async function measure(kind, databaseUrl, count) {
  const model = await openReadModel({ databaseUrl });
  const { log, plain } = await openLog(kind, model.entityKeys);
  const known = Array.from({ length: ENTITIES }, (_, n) => `known-${n}`);
  await log.append(known.map((entityId) => event(entityId, 0)));
  const made = Array.from({ length: count }, (_, n) => event(known[n % ENTITIES], n));
  const fresh = Array.from({ length: Math.ceil(count / 10) }, (_, n) => event(`new-${n}`, n));
  const append = await timed(made.length, () => appendAll(log, made));
  const appendNew = await timed(fresh.length, () => appendAll(log, fresh));
  const stored = ENTITIES + made.length + fresh.length;
  const read = await timed(stored, () => readAll(log, stored));
  const bytes = (await readAll(plain, stored)) / stored;
  await log.close();
  if (plain !== log) await plain.close();
  await model.close();
  return { append, appendNew, read, bytes };
}

const databases = await openDatabases();
const results = { open: [], sealed: [] };
for (let round = 0; round <= rounds; round += 1) {
  for (const kind of KINDS) {
    const name = `bench_${randomUUID().replaceAll('-', '')}`;
    // The first round is not counted: brokers and this process compile what they run.
    const result = await measure(kind, await databases.create(name), round === 0 ? Math.ceil(events / 4) : events);
    if (round > 0) results[kind].push(result);
    await databases.drop(name);
  }
}
await databases.close();

const rowOf = (what, unit, pick) => {
  const [open, sealed] = KINDS.map((kind) => results[kind].map(pick));
  return { what, unit, open: median(open), sealed: median(sealed), ratio: pairedRatio(sealed, open) };
};
const round = (value) => Number(value.toPrecision(3));
console.table(
  [
    rowOf('append, known entities', 'events/s', ({ append }) => append.perSecond),
    rowOf('append, known entities', 'CPU µs/event', ({ append }) => append.cpuUsPerEvent),
    rowOf('append, one event each of new entities', 'events/s', ({ appendNew }) => appendNew.perSecond),
    rowOf('append, one event each of new entities', 'CPU µs/event', ({ appendNew }) => appendNew.cpuUsPerEvent),
    rowOf('read all', 'events/s', ({ read }) => read.perSecond),
    rowOf('read all', 'CPU µs/event', ({ read }) => read.cpuUsPerEvent),
    rowOf('record', 'bytes', ({ bytes }) => bytes),
  ].map((row) => ({ ...row, open: round(row.open), sealed: round(row.sealed), ratio: round(row.ratio) })),
);
