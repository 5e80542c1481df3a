import { randomBytes } from 'node:crypto';
import { Kafka, logLevel } from 'kafkajs';
import { openKafkaDurableLog, type KafkaDurableLog } from './kafka-durable-log';
import type { KafkaDurableLogOptions, KafkaLogLine } from './options';
import { testKafkaBrokers } from './testing/config';

describe('a topic that is there already', () => {
  const opened: KafkaDurableLog[] = [];
  let topic: string;

  beforeEach(() => {
    topic = `test-${randomBytes(6).toString('hex')}.events.v1`;
  });
  afterEach(async () => {
    await Promise.all(opened.splice(0).map((log) => log.close()));
  });

  /** As an operator makes it; what is not said is the broker's default. */
  const make = async (settings: Record<string, string>) => {
    const admin = new Kafka({ brokers: [...testKafkaBrokers()], logLevel: logLevel.NOTHING }).admin();
    await admin.connect();
    const configEntries = Object.entries(settings).map(([name, value]) => ({ name, value }));
    await admin.createTopics({ topics: [{ topic, numPartitions: 1, replicationFactor: 1, configEntries }] });
    await admin.disconnect();
  };

  /** What is said when it is opened. */
  const warningsOf = async (options: Partial<KafkaDurableLogOptions> = {}) => {
    const warnings: KafkaLogLine['fields'][] = [];
    const log = await openKafkaDurableLog({
      brokers: testKafkaBrokers(),
      clientId: 'sluice-test',
      topic,
      partitions: 1,
      replicationFactor: 1,
      createTopic: true,
      onLog: ({ level, message, fields }) => {
        if (level === 'warn' && message.startsWith('The topic has a setting')) warnings.push(fields);
      },
      ...options,
    });
    opened.push(log);
    return warnings;
  };

  const EVERYTHING = { 'retention.ms': '-1', 'retention.bytes': '-1' };
  const NEWEST = { 'cleanup.policy': 'compact', 'max.compaction.lag.ms': '3600000' };

  it.each(['everything', 'newest_of_key'] as const)('is right as Sluice makes it to keep %s', async (keep) => {
    expect(await warningsOf({ keep })).toEqual([]);
    expect(await warningsOf({ keep })).toEqual([]);
  });

  it.each([
    { keep: 'everything', made: EVERYTHING },
    { keep: 'newest_of_key', made: NEWEST },
    { keep: 'newest_of_key', made: { ...NEWEST, 'max.compaction.lag.ms': '1000', 'segment.ms': '7200000' } },
  ] as const)('is right to keep $keep with $made', async ({ keep, made }) => {
    await make(made);
    expect(await warningsOf({ keep })).toEqual([]);
  });

  it('is told of that forgets events after a week, as brokers do unless told otherwise', async () => {
    await make({});
    expect(await warningsOf()).toEqual([
      { topic, setting: 'retention.ms', is: '604800000', wanted: '-1', why: expect.stringContaining('copy of record') },
    ]);
  });

  it('is told of that keeps destroyed keys for a week', async () => {
    await make({ 'cleanup.policy': 'compact' });
    expect(await warningsOf({ keep: 'newest_of_key' })).toEqual([
      {
        topic,
        setting: 'max.compaction.lag.ms',
        is: '9223372036854775807',
        wanted: '3600000 or less',
        why: expect.stringContaining('destroyed keys'),
      },
      {
        topic,
        setting: 'segment.ms',
        is: '604800000',
        wanted: '3600000 or less',
        why: expect.stringContaining('destroyed keys'),
      },
    ]);
  });

  it.each([
    { keep: 'everything', made: { ...EVERYTHING, 'cleanup.policy': 'compact' }, setting: 'cleanup.policy' },
    { keep: 'everything', made: { ...EVERYTHING, 'retention.bytes': '1000000000' }, setting: 'retention.bytes' },
    { keep: 'everything', made: { ...EVERYTHING, 'max.message.bytes': '1000000' }, setting: 'max.message.bytes' },
    { keep: 'everything', made: { ...EVERYTHING, 'min.insync.replicas': '2' }, setting: 'min.insync.replicas' },
    { keep: 'newest_of_key', made: { ...NEWEST, 'cleanup.policy': 'compact,delete' }, setting: 'cleanup.policy' },
    {
      keep: 'newest_of_key',
      made: { ...NEWEST, 'max.compaction.lag.ms': '7200000' },
      setting: 'max.compaction.lag.ms',
    },
  ] as const)('is told of that is to keep $keep and has another $setting', async ({ keep, made, setting }) => {
    await make({ 'segment.ms': '60000', ...made });
    const is = Object.entries(made).find(([name]) => name === setting)?.[1];
    expect(await warningsOf({ keep })).toEqual([expect.objectContaining({ topic, setting, is })]);
  });

  it('is told of that has fewer copies than was asked for', async () => {
    await make(EVERYTHING);
    expect(await warningsOf({ replicationFactor: 3, minInSyncReplicas: 2 })).toEqual([
      expect.objectContaining({ setting: 'replication.factor', is: '1', wanted: '3 or more' }),
    ]);
  });
});
