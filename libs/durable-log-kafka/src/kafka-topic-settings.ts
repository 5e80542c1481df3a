import { ConfigResourceTypes, type Admin } from 'kafkajs';
import type { KafkaSettings } from './options';

/** Largest batch of records that the topic takes. */
const MAX_MESSAGE_BYTES = 1024 * 1024;

/** In a compacted topic: how long after the next record of its key a record may still be in the segment that is written. */
const MAX_COMPACTION_LAG_MS = 3_600_000;

/** A topic as it is. */
export interface FoundTopic {
  /** Copies of its partition that has the fewest. */
  readonly replicas: number;
  /** Values by name, those that the topic has from its brokers too. */
  readonly settings: ReadonlyMap<string, string>;
}

/** One setting that is not as it has to be. */
export interface TopicFault {
  readonly setting: string;
  /** `unknown` where the broker did not say. */
  readonly is: string;
  readonly wanted: string;
  readonly why: string;
}

interface Requirement {
  readonly setting: string;
  readonly wanted: string;
  readonly why: string;
  isMet(value: string, found: FoundTopic): boolean;
}

type Wanted = Pick<KafkaSettings, 'keep' | 'replicationFactor' | 'minInSyncReplicas'>;

/** The settings of a topic that is created. */
export function createdWith({ keep, minInSyncReplicas }: Wanted): Readonly<Record<string, string | number>> {
  return {
    ...RETENTION[keep],
    'max.message.bytes': MAX_MESSAGE_BYTES,
    // What a record says about when it was stored is the broker's word, not the producer's.
    'message.timestamp.type': 'LogAppendTime',
    ...(minInSyncReplicas === undefined ? {} : { 'min.insync.replicas': minInSyncReplicas }),
  };
}

/** How long a topic keeps what it has. */
const RETENTION: Readonly<Record<KafkaSettings['keep'], Readonly<Record<string, string | number>>>> = {
  // The copy of record: nothing ever expires.
  everything: { 'cleanup.policy': 'delete', 'retention.ms': -1, 'retention.bytes': -1 },
  // What was superseded is to be gone from the disks within hours of the next record: brokers never compact the segment that
  // they are writing to.
  newest_of_key: {
    'cleanup.policy': 'compact',
    'max.compaction.lag.ms': MAX_COMPACTION_LAG_MS,
    'segment.ms': MAX_COMPACTION_LAG_MS,
    'min.cleanable.dirty.ratio': 0.1,
  },
};

const exactly = (setting: string, wanted: string, why: string): Requirement => ({
  setting,
  wanted,
  why,
  isMet: (value) => value === wanted,
});

/** What the topic has to have to keep what it is for. */
const KEPT: Readonly<Record<KafkaSettings['keep'], readonly Requirement[]>> = {
  everything: [
    exactly('cleanup.policy', 'delete', 'a compacted topic loses all events of an entity but its newest'),
    exactly('retention.ms', '-1', 'the topic is the copy of record: older events are lost'),
    exactly('retention.bytes', '-1', 'the topic is the copy of record: the oldest events are lost'),
  ],
  newest_of_key: [
    exactly('cleanup.policy', 'compact', 'keys are lost with their age, or destroyed ones are never gone'),
    {
      setting: 'max.compaction.lag.ms',
      wanted: `${MAX_COMPACTION_LAG_MS} or less`,
      why: 'destroyed keys stay on the disks for longer',
      isMet: (value) => Number(value) <= MAX_COMPACTION_LAG_MS,
    },
    {
      setting: 'segment.ms',
      wanted: `${MAX_COMPACTION_LAG_MS} or less`,
      why: 'the segment that is written is never compacted: destroyed keys stay on the disks for longer',
      // Brokers close a segment at the lesser of both.
      isMet: (value, { settings }) =>
        Math.min(Number(value), Number(settings.get('max.compaction.lag.ms') ?? Infinity)) <= MAX_COMPACTION_LAG_MS,
    },
  ],
};

/** What every topic has to have so that an acknowledged record stays, and every record is taken. */
function storedSafely({ replicationFactor, minInSyncReplicas = 1 }: Wanted, { replicas }: FoundTopic): Requirement[] {
  const inSync = Math.min(replicas, Math.max(minInSyncReplicas, 2));
  return [
    {
      setting: 'replication.factor',
      wanted: `${replicationFactor} or more`,
      why: 'fewer copies of acknowledged records than was asked for',
      isMet: (value) => Number(value) >= replicationFactor,
    },
    {
      setting: 'min.insync.replicas',
      wanted: inSync < replicas ? `${inSync} to ${replicas}` : String(inSync),
      why: 'with fewer, an acknowledged record may be on one broker alone; with more than there are copies, nothing is stored',
      isMet: (value) => Number(value) >= inSync && Number(value) <= replicas,
    },
    {
      setting: 'max.message.bytes',
      wanted: `${MAX_MESSAGE_BYTES} or more`,
      why: 'larger records are refused',
      isMet: (value) => Number(value) >= MAX_MESSAGE_BYTES,
    },
  ];
}

/** What is wrong with a topic, the worst first. */
export function faultsOf(found: FoundTopic, wanted: Wanted): readonly TopicFault[] {
  const values = new Map([...found.settings, ['replication.factor', String(found.replicas)]]);
  return [...KEPT[wanted.keep], ...storedSafely(wanted, found)].flatMap(({ isMet, setting, wanted: should, why }) => {
    const value = values.get(setting);
    if (value !== undefined && isMet(value, found)) return [];
    return [{ setting, is: value ?? 'unknown', wanted: should, why }];
  });
}

/**
 * Asks the broker; it answers who may describe configs of the topic.
 * @throws Error of kafkajs
 */
export async function readTopic(admin: Admin, topic: string): Promise<FoundTopic> {
  const resources = [{ type: ConfigResourceTypes.TOPIC, name: topic }];
  const { resources: described } = await admin.describeConfigs({ includeSynonyms: false, resources });
  const { topics } = await admin.fetchTopicMetadata({ topics: [topic] });
  const partitions = topics.find(({ name }) => name === topic)?.partitions ?? [];
  const entries = described[0]?.configEntries ?? [];
  return {
    replicas: Math.min(...partitions.map(({ replicas }) => replicas.length)),
    settings: new Map(entries.map(({ configName, configValue }) => [configName, configValue])),
  };
}
