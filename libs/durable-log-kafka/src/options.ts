import { SluiceError } from '@sluice/event-log';

/** TLS to the brokers: `true` for the public authorities, or what deviates from that. PEM texts, not paths. */
export type KafkaTls =
  | boolean
  | {
      readonly ca?: string;
      readonly cert?: string;
      readonly key?: string;
      readonly servername?: string;
      readonly rejectUnauthorized?: boolean;
    };

export interface KafkaSasl {
  readonly mechanism: 'plain' | 'scram-sha-256' | 'scram-sha-512';
  readonly username: string;
  readonly password: string;
}

export interface KafkaLogLine {
  readonly level: 'error' | 'warn' | 'info' | 'debug';
  readonly message: string;
  readonly fields: Readonly<Record<string, unknown>>;
}

/** What happened inside, for counters, gauges and histograms. */
export type KafkaLogMetric =
  | { readonly name: 'append_queue'; readonly events: number; readonly bytes: number }
  | { readonly name: 'append_batch'; readonly events: number; readonly bytes: number; readonly durationMs: number }
  | { readonly name: 'append_attempt_failed'; readonly error: unknown }
  | { readonly name: 'producer_opened' }
  | { readonly name: 'consumer_opened'; readonly group: string }
  | { readonly name: 'lanes_assigned'; readonly group: string; readonly lanes: number }
  | { readonly name: 'batch_handled'; readonly group: string; readonly records: number; readonly durationMs: number };

/** Every bound and time of the adapter; each can be set by name. Whole numbers above 0, but for `appendLingerMs`. */
export const DEFAULT_KAFKA_LIMITS = {
  /** Most events that may be unfinished in `append` before it answers `overloaded`. */
  maxQueuedEvents: 20_000,
  /** Most bytes of encoded events that may be unfinished in `append` before it answers `overloaded`. */
  maxQueuedBytes: 32 * 1024 * 1024,
  maxSendEvents: 5_000,
  /** Most bytes of encoded events in one send. */
  maxSendBytes: 900_000,
  /** Longest wait for callers that come again, so that they share a send; see `AppendBatcher`. 0 never waits. */
  appendLingerMs: 3,
  /** How long a send is repeated before it fails. While the log is known to be away, a send is tried only once. */
  appendTimeoutMs: 10_000,
  connectionTimeoutMs: 2_000,
  /** Longest wait for the answer to one request. */
  requestTimeoutMs: 5_000,
  checkTimeoutMs: 2_000,
  /** How long `ends` may answer from memory. An own append makes it ask again. */
  endsMaxAgeMs: 1_000,
  /** How long `close` waits for appends in hand. */
  closeTimeoutMs: 15_000,
  /** How long opening waits for the topic to be there with all its leaders. */
  topicTimeoutMs: 30_000,
  /** Longest wait of the broker for new records; it answers at once when there are some. Also bounds `stop`. */
  fetchWaitMs: 250,
  maxFetchBytes: 8 * 1024 * 1024,
  maxFetchBytesPerPartition: 1024 * 1024,
  heartbeatIntervalMs: 1_500,
  /** A follower that died is replaced after this time. Brokers accept no less than 6 s unless told so. */
  sessionTimeoutMs: 6_000,
  /** Longest time that the members of a group wait for one that is still handling a batch. */
  rebalanceTimeoutMs: 30_000,
  /** How often, at most, offsets are committed to the broker. Only operators' tools read them. */
  commitIntervalMs: 5_000,
  /** A consumer that shows no sign of life for so long is replaced. */
  stallTimeoutMs: 60_000,
  /** How long `stop` waits for the group to let go, after the batch in hand. */
  leaveTimeoutMs: 5_000,
} as const;

export type KafkaLimits = { readonly [K in keyof typeof DEFAULT_KAFKA_LIMITS]: number };

export interface KafkaDurableLogOptions {
  /** `host:port` of some brokers of the cluster. */
  readonly brokers: readonly string[];
  readonly clientId: string;
  readonly topic: string;
  /** What a group of followers is called at the brokers; one that is not listed keeps its name. */
  readonly groupIds?: Readonly<Record<string, string>>;
  /** Lanes of a topic that is created; an existing topic keeps what it has. */
  readonly partitions?: number;
  /** What a topic that is created keeps: `everything` by default, or the newest record of each key. */
  readonly keep?: 'everything' | 'newest_of_key';
  /** Copies of a topic that is created. */
  readonly replicationFactor: number;
  /** Copies that must be in sync for an append to succeed, for a topic that is created. */
  readonly minInSyncReplicas?: number;
  /** Create the topic when it is missing. Without it, opening does not wait for the brokers. */
  readonly createTopic: boolean;
  readonly compression?: 'none' | 'gzip';
  readonly ssl?: KafkaTls;
  readonly sasl?: KafkaSasl;
  readonly limits?: Partial<KafkaLimits>;
  onLog?(line: KafkaLogLine): void;
  onMetric?(metric: KafkaLogMetric): void;
}

/** Options with every default filled in. */
export type KafkaSettings = KafkaDurableLogOptions & {
  readonly partitions: number;
  readonly keep: 'everything' | 'newest_of_key';
  readonly limits: KafkaLimits;
  onLog(line: KafkaLogLine): void;
  onMetric(metric: KafkaLogMetric): void;
};

const DEFAULT_PARTITIONS = 12;

/** Each partition costs every broker and every follower; more than this is a slip of the pen. */
export const MAX_PARTITIONS = 1_000;

/** @throws SluiceError `configuration` */
export function toSettings(options: KafkaDurableLogOptions): KafkaSettings {
  const { partitions = DEFAULT_PARTITIONS, replicationFactor, minInSyncReplicas = 1, brokers, topic } = options;
  const assert = (holds: boolean, message: string) => {
    if (!holds) throw new SluiceError('configuration', `Kafka: ${message}`);
  };
  assert(brokers.length > 0 && brokers.every((broker) => /^[^\s:]+:\d+$/.test(broker)), 'brokers must be host:port');
  assert(/^[A-Za-z0-9._-]{1,249}$/.test(topic), `"${topic}" is no topic name`);
  assert(isCount(partitions, MAX_PARTITIONS), `partitions must be 1 to ${MAX_PARTITIONS}`);
  assert(isCount(replicationFactor, 100), 'replicationFactor must be 1 to 100');
  assert(isCount(minInSyncReplicas, replicationFactor), 'minInSyncReplicas must be 1 to replicationFactor');
  const limits = { ...DEFAULT_KAFKA_LIMITS, ...options.limits };
  const { appendLingerMs, ...aboveZero } = limits;
  assert(appendLingerMs === 0 || isCount(appendLingerMs, Infinity), 'appendLingerMs must be 0 or above');
  for (const [name, value] of Object.entries(aboveZero)) assert(isCount(value, Infinity), `${name} must be above 0`);
  assert(limits.heartbeatIntervalMs < limits.sessionTimeoutMs, 'heartbeatIntervalMs must be below sessionTimeoutMs');
  return {
    ...options,
    partitions,
    keep: options.keep ?? 'everything',
    limits,
    onLog: (line) => options.onLog?.(line),
    onMetric: (metric) => options.onMetric?.(metric),
  };
}

function isCount(value: number, maximum: number): boolean {
  return Number.isInteger(value) && value >= 1 && value <= maximum;
}
