import { SluiceError } from '@sluice/event-log';
import { ConfigResourceTypes, type Admin, type Kafka } from 'kafkajs';
import type { KafkaSettings } from './options';
import { pause } from './waiting';

const POLL_INTERVAL_MS = 100;

/** Largest batch of records that the topic takes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** How long a topic keeps what it has. */
const RETENTION: Readonly<Record<KafkaSettings['keep'], Readonly<Record<string, string | number>>>> = {
  // The copy of record: nothing ever expires.
  everything: { 'cleanup.policy': 'delete', 'retention.ms': -1, 'retention.bytes': -1 },
  // What was superseded is to be gone from the disks within hours of the next record: brokers never compact the segment that
  // they are writing to.
  newest_of_key: {
    'cleanup.policy': 'compact',
    'max.compaction.lag.ms': 3_600_000,
    'segment.ms': 3_600_000,
    'min.cleanable.dirty.ratio': 0.1,
  },
};

/**
 * Creates the topic unless it is there, and resolves when all its partitions have leaders. Any number of processes may
 * do so at the same time.
 * @throws SluiceError `log_unavailable`
 */
export async function ensureTopic(kafka: Kafka, settings: KafkaSettings): Promise<void> {
  const deadline = performance.now() + settings.limits.topicTimeoutMs;
  for (;;) {
    const admin = kafka.admin();
    try {
      await admin.connect();
      const partitions = await countLedPartitions(admin, settings.topic);
      if (partitions > 0) {
        warnOfOtherCount(settings, partitions);
        return await warnOfOtherPolicy(admin, settings);
      }
      await createTopic(admin, settings);
    } catch (error) {
      if (performance.now() > deadline) {
        throw new SluiceError('log_unavailable', `The topic ${settings.topic} cannot be prepared`, { cause: error });
      }
    } finally {
      await admin.disconnect().catch(() => undefined);
    }
    await pause(POLL_INTERVAL_MS);
    if (performance.now() > deadline)
      throw new SluiceError('log_unavailable', `The topic ${settings.topic} has no leaders`);
  }
}

/** How many partitions there are; 0 while the topic is missing or a partition has no leader. */
async function countLedPartitions(admin: Admin, topic: string): Promise<number> {
  if (!(await admin.listTopics()).includes(topic)) return 0;
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
  return partitions.every(({ leader }) => leader >= 0) ? partitions.length : 0;
}

async function createTopic(admin: Admin, settings: KafkaSettings): Promise<void> {
  const { topic, partitions, replicationFactor, minInSyncReplicas, keep } = settings;
  const config: Record<string, string | number> = {
    ...RETENTION[keep],
    'max.message.bytes': MAX_MESSAGE_BYTES,
    // What a record says about when it was stored is the broker's word, not the producer's.
    'message.timestamp.type': 'LogAppendTime',
    ...(minInSyncReplicas === undefined ? {} : { 'min.insync.replicas': minInSyncReplicas }),
  };
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(config).map(([name, value]) => ({ name, value: String(value) })),
      },
    ],
  });
}

function warnOfOtherCount({ topic, partitions: wanted, onLog }: KafkaSettings, partitions: number): void {
  if (partitions === wanted) return;
  onLog({
    level: 'warn',
    message: 'The topic has another number of partitions',
    fields: { topic, partitions, wanted },
  });
}

/** Who made the topic may have made it so that it loses what is to be kept. Not everybody may ask. */
async function warnOfOtherPolicy(admin: Admin, { topic, keep, onLog }: KafkaSettings): Promise<void> {
  const wanted = RETENTION[keep]['cleanup.policy'];
  const asked = { type: ConfigResourceTypes.TOPIC, name: topic, configNames: ['cleanup.policy'] };
  const answer = await admin.describeConfigs({ includeSynonyms: false, resources: [asked] }).catch(() => undefined);
  const policy = answer?.resources[0]?.configEntries.find(({ configName }) => configName === 'cleanup.policy');
  if (policy === undefined || policy.configValue === wanted) return;
  onLog({
    level: 'warn',
    message: 'The topic has another cleanup policy, and loses what it should keep',
    fields: { topic, policy: policy.configValue, wanted },
  });
}
