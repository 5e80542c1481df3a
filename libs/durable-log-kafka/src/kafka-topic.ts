import { SluiceError } from '@sluice/event-log';
import type { Admin, Kafka } from 'kafkajs';
import { createdWith, faultsOf, readTopic } from './kafka-topic-settings';
import type { KafkaSettings } from './options';
import { pause } from './waiting';

const POLL_INTERVAL_MS = 100;

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
        return await warnOfFaults(admin, settings);
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
  const { topic, partitions, replicationFactor } = settings;
  await admin.createTopics({
    waitForLeaders: false,
    topics: [
      {
        topic,
        numPartitions: partitions,
        replicationFactor,
        configEntries: Object.entries(createdWith(settings)).map(([name, value]) => ({ name, value: String(value) })),
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

/** Who made the topic may have made it so that it loses what is to be kept, or keeps what is to be gone. */
async function warnOfFaults(admin: Admin, settings: KafkaSettings): Promise<void> {
  const { topic, onLog } = settings;
  const found = await readTopic(admin, topic).catch((error: unknown) => {
    const fields = { topic, needed: 'the right to describe configs of the topic', reason: String(error) };
    onLog({ level: 'warn', message: 'The settings of the topic cannot be checked', fields });
  });
  for (const fault of found === undefined ? [] : faultsOf(found, settings)) {
    onLog({ level: 'warn', message: 'The topic has a setting that breaks a promise', fields: { topic, ...fault } });
  }
}
