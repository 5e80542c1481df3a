import { brokerNames, type BrokerNames } from '@sluice/event-schema';
import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';
import { fileSettings, toFilesConfig, type FilesConfig } from './file-settings';

export const ENGINES = ['cluster', 'embedded', 'memory'] as const;

/** The settings that choose an engine and tell it where its parts are. */
export const engineSettings = defineSettings({
  SLUICE_ENGINE: {
    schema: setting.enum(ENGINES),
    default: 'cluster',
    description:
      '`cluster` (Kafka, JetStream, PostgreSQL), `embedded` (PostgreSQL alone, one process) or `memory` (keeps nothing).',
  },
  SLUICE_DATABASE_URL: {
    schema: setting.url({ protocols: ['postgresql', 'postgres'] }).optional(),
    description: 'PostgreSQL of the read model. Required by `cluster` and `embedded`.',
    secret: true,
  },
  SLUICE_DATABASE_POOL_SIZE: {
    schema: setting.integer({ min: 2, max: 200 }),
    default: '10',
    description: 'Most connections of one process to PostgreSQL.',
  },
  SLUICE_DATABASE_MIGRATE: {
    schema: setting.boolean(),
    default: 'true',
    description: 'Apply pending migrations at start, under a lock.',
  },
  SLUICE_KAFKA_BROKERS: {
    schema: setting.list({ minItems: 1 }).optional(),
    description: 'Addresses `host:port` of some Kafka brokers. Required by `cluster`.',
  },
  SLUICE_KAFKA_PARTITIONS: {
    schema: setting.integer({ min: 1, max: 1000 }),
    default: '12',
    description: 'Partitions of the topic when it is created: the most projectors that can share the work.',
  },
  SLUICE_KAFKA_REPLICATION_FACTOR: {
    schema: setting.integer({ min: 1, max: 9 }),
    default: '1',
    description: 'Copies of the topic when it is created; 3 in production.',
  },
  SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS: {
    schema: setting.integer({ min: 1, max: 9 }),
    default: '1',
    description: 'Copies that must have an event before it is acknowledged; 2 in production.',
  },
  SLUICE_KAFKA_SASL: {
    schema: setting.list({ minItems: 3 }).optional(),
    description: '`mechanism,username,password`, where the mechanism is `plain`, `scram-sha-256` or `scram-sha-512`.',
    secret: true,
  },
  SLUICE_KAFKA_TLS: { schema: setting.boolean(), default: 'false', description: 'Speak TLS to Kafka.' },
  SLUICE_NATS_URL: {
    schema: setting.list({ minItems: 1 }).optional(),
    description: 'Addresses `nats://host:port` of the NATS servers. Required by `cluster`.',
  },
  SLUICE_NATS_TOKEN: { schema: setting.text().optional(), description: 'Token for NATS.', secret: true },
  SLUICE_NATS_REPLICAS: {
    schema: setting.integer({ min: 1, max: 5 }),
    default: '1',
    description: 'Copies of the delivery log and of what replicas tell each other; 3 in production.',
  },
  SLUICE_DELIVERY_RETENTION: {
    schema: setting.durationMs({ min: 1000 }),
    default: '1h',
    description: 'How long the delivery log keeps runs. Readers that need older ones read the read model.',
  },
  SLUICE_DELIVERY_MAX_BYTES: {
    schema: setting.byteSize({ min: 1_048_576 }),
    default: '1GiB',
    description: 'Most bytes that the delivery log keeps.',
  },
  SLUICE_BROKER_PREFIX: {
    schema: setting.text(),
    default: 'sluice',
    description: 'Prefix of topic, group, stream, buckets and subjects, so that installations can share brokers.',
  },
  ...fileSettings,
});

export type EngineSettings = SettingsOf<typeof engineSettings>;

export interface DatabaseConfig {
  readonly databaseUrl: string;
  readonly poolSize: number;
  readonly migrate: boolean;
}

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInSyncReplicas: number;
  readonly tls: boolean;
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string };
}

export interface NatsConfig {
  readonly servers: readonly string[];
  readonly token?: string;
  readonly replicas: number;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

/** One engine and all that it needs. */
export type EngineConfig =
  | {
      readonly engine: 'cluster';
      readonly names: BrokerNames;
      readonly database: DatabaseConfig;
      readonly kafka: KafkaConfig;
      readonly nats: NatsConfig;
      readonly files?: FilesConfig;
    }
  | { readonly engine: 'embedded'; readonly database: DatabaseConfig; readonly files?: FilesConfig }
  | { readonly engine: 'memory' };

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
type SaslMechanism = (typeof SASL_MECHANISMS)[number];

/** @throws SluiceError `configuration` for a setting that the chosen engine needs and does not have, or cannot use. */
export function toEngineConfig(settings: EngineSettings): EngineConfig {
  if (settings.SLUICE_ENGINE === 'memory') return { engine: 'memory' };
  const database: DatabaseConfig = {
    databaseUrl: required(settings, 'SLUICE_DATABASE_URL'),
    poolSize: settings.SLUICE_DATABASE_POOL_SIZE,
    migrate: settings.SLUICE_DATABASE_MIGRATE,
  };
  const files = toFilesConfig(settings);
  const kept = files === undefined ? {} : { files };
  if (settings.SLUICE_ENGINE === 'embedded') return { engine: 'embedded', database, ...kept };
  const { SLUICE_NATS_TOKEN: token } = settings;
  return {
    engine: 'cluster',
    names: toNames(settings.SLUICE_BROKER_PREFIX),
    database,
    kafka: toKafka(settings),
    nats: {
      servers: required(settings, 'SLUICE_NATS_URL'),
      replicas: settings.SLUICE_NATS_REPLICAS,
      maxAgeMs: settings.SLUICE_DELIVERY_RETENTION,
      maxBytes: settings.SLUICE_DELIVERY_MAX_BYTES,
      ...(token === undefined ? {} : { token }),
    },
    ...kept,
  };
}

function toKafka(settings: EngineSettings): KafkaConfig {
  const brokers = required(settings, 'SLUICE_KAFKA_BROKERS');
  const replicationFactor = settings.SLUICE_KAFKA_REPLICATION_FACTOR;
  const minInSyncReplicas = settings.SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS;
  if (!brokers.every(isBrokerAddress)) {
    throw new SluiceError('configuration', 'SLUICE_KAFKA_BROKERS: each address must be host:port');
  }
  if (minInSyncReplicas > replicationFactor) {
    const message = `SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS: expected at most SLUICE_KAFKA_REPLICATION_FACTOR, which is ${replicationFactor}`;
    throw new SluiceError('configuration', message);
  }
  return {
    brokers,
    partitions: settings.SLUICE_KAFKA_PARTITIONS,
    replicationFactor,
    minInSyncReplicas,
    tls: settings.SLUICE_KAFKA_TLS,
    ...toSasl(settings.SLUICE_KAFKA_SASL),
  };
}

function isBrokerAddress(address: string): boolean {
  const port = Number(/^[^\s:/@]+:(\d{1,5})$/.exec(address)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
}

function required<K extends keyof EngineSettings>(settings: EngineSettings, name: K): NonNullable<EngineSettings[K]> {
  const value = settings[name];
  if (value === undefined || value === null) {
    throw new SluiceError('configuration', `${name} is required by the engine "${settings.SLUICE_ENGINE}"`);
  }
  return value;
}

function toNames(prefix: string): BrokerNames {
  try {
    return brokerNames(prefix);
  } catch (error) {
    throw new SluiceError('configuration', `SLUICE_BROKER_PREFIX: ${String(error)}`, { cause: error });
  }
}

function toSasl(parts: readonly string[] | undefined): Pick<KafkaConfig, 'sasl'> {
  if (parts === undefined) return {};
  const [name, username = '', ...rest] = parts;
  const mechanism = SASL_MECHANISMS.find((known) => known === name);
  if (mechanism === undefined) {
    throw new SluiceError('configuration', `SLUICE_KAFKA_SASL: the mechanism must be ${SASL_MECHANISMS.join(', ')}`);
  }
  return { sasl: { mechanism, username, password: rest.join(',') } };
}
