import { randomBytes } from 'node:crypto';
import { decodeUtf8, type FollowLogOptions, type Lane, type LogBatch, type LogRecord } from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import { Kafka, logLevel, Partitioners } from 'kafkajs';
import { openKafkaDurableLog, type KafkaDurableLog } from './kafka-durable-log';
import type { KafkaDurableLogOptions, KafkaLogMetric } from './options';
import { testKafkaBrokers } from './testing/config';

const range = (count: number) => Array.from({ length: count }, (_, n) => n);

describe('KafkaDurableLog on a healthy broker', () => {
  const opened: KafkaDurableLog[] = [];
  let topic: string;
  let metrics: KafkaLogMetric[];
  let faults: unknown[];
  let records: LogRecord[];

  beforeEach(() => {
    topic = `test-${randomBytes(6).toString('hex')}.events.v1`;
    [metrics, faults, records] = [[], [], []];
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  const open = async (options: Partial<KafkaDurableLogOptions> = {}) => {
    const log = await openKafkaDurableLog({
      brokers: testKafkaBrokers(),
      clientId: 'sluice-test',
      topic,
      partitions: 3,
      replicationFactor: 1,
      createTopic: true,
      onMetric: (metric) => metrics.push(metric),
      ...options,
    });
    opened.push(log);
    return log;
  };

  /** Each follower has a store of its own, which is empty at first. */
  const follow = (log: KafkaDurableLog, overrides: Partial<FollowLogOptions> = {}) => {
    const stored = new Map<Lane, number>();
    const { handle = async (batch: LogBatch) => void records.push(...batch.records) } = overrides;
    return log.follow({
      group: `${topic}.group`,
      maxBatchRecords: 1_000,
      loadCheckpoints: async () => new Map(stored),
      onFault: (error) => faults.push(error),
      ...overrides,
      handle: async (batch) => {
        await handle(batch);
        for (const [lane, { to }] of batch.checkpoints) stored.set(lane, to);
      },
    });
  };

  /** A plain client beside ours, as an operator or a foreign producer has one. */
  const withKafka = async <T>(use: (kafka: Kafka) => Promise<T>): Promise<T> =>
    use(new Kafka({ brokers: [...testKafkaBrokers()], clientId: 'foreign', logLevel: logLevel.NOTHING }));

  const members = () =>
    withKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      const { groups } = await admin.describeGroups([`${topic}.group`]);
      await admin.disconnect();
      return groups[0]?.members ?? [];
    });

  const named = <N extends KafkaLogMetric['name']>(name: N) =>
    metrics.filter((metric): metric is Extract<KafkaLogMetric, { name: N }> => metric.name === name);

  it('sends appends that wait together as one', async () => {
    const log = await open();
    await log.append([sandboxEnvelope()]);
    metrics.length = 0;
    await Promise.all(range(500).map((n) => log.append([sandboxEnvelope({ entityId: `s-${n}` })])));
    expect(named('append_batch').length).toBeLessThan(50);
    expect(named('append_batch').reduce((total, { events }) => total + events, 0)).toBe(500);
    expect(named('append_queue').at(-1)).toMatchObject({ events: 0, bytes: 0 });
  });

  it('refuses at once what exceeds its queue and stores the rest', async () => {
    const log = await open({ limits: { maxQueuedEvents: 10 } });
    await follow(log);
    const outcomes = await Promise.allSettled(range(25).map((n) => log.append([sandboxEnvelope({ data: { n } })])));
    const refused = outcomes.filter((outcome) => outcome.status === 'rejected');
    expect(refused).toHaveLength(15);
    for (const { reason } of refused) expect(reason).toMatchObject({ code: 'overloaded', retryable: true });
    await log.append([sandboxEnvelope({ data: { n: 25 } })]);
    await until(() => records.length >= 11, 'the stored events arrive');
    expect(records.map(({ value }) => JSON.parse(decodeUtf8(value)).data.n)).toEqual([...range(10), 25]);
  });

  it('splits an append that is larger than a request of the broker, in order', async () => {
    const log = await open();
    await follow(log);
    await log.append(range(20).map((n) => sandboxEnvelope({ data: { n, blob: 'x'.repeat(250_000) } })));
    await until(() => records.length >= 20, 'the events arrive');
    expect(records.map(({ value }) => JSON.parse(decodeUtf8(value)).data.n)).toEqual(range(20));
  });

  it('stores compressed batches that are read back as they were', async () => {
    const log = await open({ compression: 'gzip' });
    await follow(log);
    const events = range(50).map((n) => sandboxEnvelope({ data: { n, text: 'again and again '.repeat(50) } }));
    await log.append(events);
    await until(() => records.length >= 50, 'the events arrive');
    expect(records.map(({ value }) => decodeUtf8(value))).toEqual(events.map(({ json }) => json));
  });

  it('gives what a foreign producer wrote, as it is', async () => {
    const log = await open();
    const startedAt = Date.now();
    await withKafka(async (kafka) => {
      const producer = kafka.producer({ createPartitioner: Partitioners.DefaultPartitioner });
      await producer.connect();
      const messages = [Buffer.from([0, 255, 254, 10]), null, Buffer.alloc(0)].map((value) => ({
        key: 'k',
        value,
        timestamp: '1',
      }));
      await producer.send({ topic, messages });
      await producer.disconnect();
    });
    await follow(log);
    await until(() => records.length >= 3, 'the records arrive');
    expect(records.map(({ value, index }) => [index, ...value])).toEqual([[0, 0, 255, 254, 10], [1], [2]]);
    // The broker's clock, not the producer's word. Both run on machines that agree to the minute.
    for (const { appendedAt } of records) expect(appendedAt).toBeGreaterThan(startedAt - 60_000);
  });

  it('hands over a backlog from all lanes in full batches', async () => {
    const log = await open();
    for (const n of range(10)) await log.append(range(100).map((m) => sandboxEnvelope({ entityId: `s-${n}-${m}` })));
    await follow(log);
    await until(() => records.length >= 1_000, 'all events arrive');
    expect(named('batch_handled').length).toBeLessThan(20);
    expect(new Set(records.map(({ lane }) => lane)).size).toBe(3);
  });

  it('tells operators how far a group is, under its name at the brokers, when it leaves', async () => {
    const log = await open({ groupIds: { own: `${topic}.renamed` } });
    await log.append(range(30).map((n) => sandboxEnvelope({ entityId: `s-${n}` })));
    const follower = await follow(log, { group: 'own' });
    await until(() => records.length >= 30, 'the events arrive');
    await follower.stop();
    const committed = await withKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      const [offsets] = await admin.fetchOffsets({ groupId: `${topic}.renamed`, topics: [topic] });
      await admin.disconnect();
      return offsets?.partitions.reduce((total, { offset }) => total + Number(offset), 0);
    });
    expect(committed).toBe(30);
  });

  it('follows the checkpoints, not what was committed to the broker', async () => {
    const log = await open();
    await log.append(range(30).map((n) => sandboxEnvelope({ entityId: `s-${n}` })));
    const first = await follow(log);
    await until(() => records.length >= 30, 'the events arrive');
    await first.stop();
    const seen = records.splice(0);
    const lane = seen[0]?.lane ?? (0 as Lane);
    await follow(log, { loadCheckpoints: async () => new Map([[lane, 2]]) });
    const expected = seen.filter((record) => record.lane !== lane || record.index >= 2).length;
    await until(() => records.length >= expected, 'the events come again');
    expect(Math.min(...records.filter((record) => record.lane === lane).map(({ index }) => index))).toBe(2);
    expect(records).toHaveLength(expected);
  });

  it('waits for checkpoints that cannot be loaded yet, and handles nothing before', async () => {
    const log = await open({ partitions: 1 });
    await log.append(range(10).map((n) => sandboxEnvelope({ data: { n } })));
    let failures = 3;
    await follow(log, {
      loadCheckpoints: async (lanes) => {
        if (failures-- > 0) throw new Error('no database');
        expect(records).toEqual([]);
        return new Map(lanes.map((lane) => [lane, 4]));
      },
    });
    await log.append(range(10).map((n) => sandboxEnvelope({ data: { n: 10 + n } })));
    await until(() => records.length >= 16, 'the later events arrive');
    expect(records.map(({ index }) => index)).toEqual(range(16).map((n) => n + 4));
    expect(faults).toHaveLength(3);
  });

  it('reports a checkpoint behind the beginning of a lane and goes on from the beginning', async () => {
    const log = await open({ partitions: 1 });
    await log.append(range(10).map((n) => sandboxEnvelope({ data: { n } })));
    await withKafka(async (kafka) => {
      const admin = kafka.admin();
      await admin.connect();
      // kafkajs finds the leaders only of topics that it was asked about before.
      await admin.fetchTopicOffsets(topic);
      await admin.deleteTopicRecords({ topic, partitions: [{ partition: 0, offset: '6' }] });
      await admin.disconnect();
    });
    await follow(log, { loadCheckpoints: async (lanes) => new Map(lanes.map((lane) => [lane, 2])) });
    await until(() => records.length >= 4, 'what is left arrives');
    expect(records.map(({ index }) => index)).toEqual([6, 7, 8, 9]);
    expect(faults.map(String)).toEqual([expect.stringContaining('read from its beginning')]);
  });

  it('reports a checkpoint beyond the end of a lane and goes on from the beginning', async () => {
    const log = await open({ partitions: 1 });
    await log.append(range(3).map((n) => sandboxEnvelope({ data: { n } })));
    await follow(log, { loadCheckpoints: async (lanes) => new Map(lanes.map((lane) => [lane, 1_000])) });
    await until(() => records.length >= 3, 'the events arrive');
    expect(records.map(({ index }) => index)).toEqual([0, 1, 2]);
    expect(faults.map(String)).toEqual([expect.stringContaining('read from its beginning')]);
  });

  it('keeps its lanes while a batch takes longer than the session', async () => {
    const limits = { sessionTimeoutMs: 6_000, heartbeatIntervalMs: 500 };
    const log = await open({ limits });
    await log.append(range(10).map((n) => sandboxEnvelope({ entityId: `s-${n}` })));
    const endsAt = performance.now() + 8_000;
    await follow(log, {
      handle: async (batch) => {
        await until(() => performance.now() > endsAt, 'the session would have ended');
        records.push(...batch.records);
      },
    });
    await until(() => records.length >= 10, 'the events arrive');
    expect(named('lanes_assigned')).toHaveLength(1);
    expect(records).toHaveLength(10);
  });

  it('shares lanes with a second follower while both are busy, and loses nothing', async () => {
    const checkpoints = new Map<Lane, number>();
    const handled = new Set<string>();
    const options: Partial<FollowLogOptions> = {
      maxBatchRecords: 20,
      loadCheckpoints: async (lanes) => new Map([...checkpoints].filter(([lane]) => lanes.includes(lane))),
      handle: async (batch) => {
        for (const { lane, index } of batch.records) {
          if (index >= (checkpoints.get(lane) ?? 0)) handled.add(`${lane}:${index}`);
        }
        for (const [lane, { to }] of batch.checkpoints) checkpoints.set(lane, Math.max(to, checkpoints.get(lane) ?? 0));
      },
    };
    const [a, b] = [await open(), await open()];
    await follow(a, options);
    const writing = (async () => {
      for (const n of range(100)) await a.append(range(20).map((m) => sandboxEnvelope({ entityId: `s-${n}-${m}` })));
    })();
    await until(() => handled.size > 0, 'the first follower works');
    const second = await follow(b, options);
    await writing;
    await until(() => handled.size === 2_000, 'all events are handled');
    await until(() => named('lanes_assigned').some(({ lanes }) => lanes > 0 && lanes < 3), 'the lanes are shared');
    await second.stop();
    await a.append([sandboxEnvelope()]);
    await until(() => handled.size === 2_001, 'the first follower has all lanes again');
  });

  it('leaves nobody in the group when a follower is stopped while it joins', async () => {
    const log = await open();
    await log.append(range(30).map((n) => sandboxEnvelope({ entityId: `s-${n}` })));
    // From before it is connected until it has joined, or nearly so.
    for (const turns of [0, 1, 3, 10, 30, 100, 300]) {
      const follower = await follow(log, { handle: async () => undefined });
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setImmediate(resolve));
      await follower.stop();
    }
    // A member that nobody stops would keep its share of the lanes from this one.
    await follow(log);
    await until(() => records.length >= 30, 'the events of all lanes arrive');
    expect(await members()).toHaveLength(1);
  });

  it('opens one topic from many processes at once', async () => {
    const logs = await Promise.all(range(5).map(() => open()));
    await Promise.all(logs.map((log) => log.append([sandboxEnvelope()])));
    expect((await logs[0]?.ends())?.size).toBe(3);
  });
});
