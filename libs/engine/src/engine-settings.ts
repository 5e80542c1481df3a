import { brokerNames, type BrokerNames } from '@sluice/event-schema';
import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';
import { fileSettings, toFilesConfig, type FilesConfig } from './file-settings';
import { kafkaSettings, toKafkaConfig, type KafkaConfig } from './kafka-settings';
import { natsSettings, toNatsConfig, type NatsConfig } from './nats-settings';
import { sealingSettings, toSealingConfig, type SealingConfig } from './sealing-settings';

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
  ...kafkaSettings,
  ...sealingSettings,
  ...natsSettings,
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

/** One engine and all that it needs. */
export type EngineConfig =
  | {
      readonly engine: 'cluster';
      readonly names: BrokerNames;
      readonly database: DatabaseConfig;
      readonly kafka: KafkaConfig;
      readonly sealing: SealingConfig;
      readonly nats: NatsConfig;
      readonly files?: FilesConfig;
    }
  | { readonly engine: 'embedded'; readonly database: DatabaseConfig; readonly files?: FilesConfig }
  | { readonly engine: 'memory' };

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
  return {
    engine: 'cluster',
    names: toNames(settings.SLUICE_BROKER_PREFIX),
    database,
    kafka: toKafkaConfig(settings, required(settings, 'SLUICE_KAFKA_BROKERS')),
    sealing: toSealingConfig(settings),
    nats: toNatsConfig(settings, required(settings, 'SLUICE_NATS_URL')),
    ...kept,
  };
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
