import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';
import { toBrokerTls, type BrokerTlsFiles } from './broker-files';

/** Where Kafka is, and what the topic is like when it is created. */
export const kafkaSettings = defineSettings({
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
  SLUICE_KAFKA_TLS_CA_FILE: {
    schema: setting.text().optional(),
    description: 'Authorities (PEM) of the brokers, in place of the public ones. Read at start.',
  },
  SLUICE_KAFKA_TLS_CERT_FILE: {
    schema: setting.text().optional(),
    description: 'Certificate (PEM) to show to the brokers. Read at start.',
  },
  SLUICE_KAFKA_TLS_KEY_FILE: {
    schema: setting.text().optional(),
    description: 'Private key (PEM) of that certificate.',
  },
});

export type KafkaSettings = SettingsOf<typeof kafkaSettings>;

export interface KafkaConfig {
  readonly brokers: readonly string[];
  readonly partitions: number;
  readonly replicationFactor: number;
  readonly minInSyncReplicas: number;
  /** Absent: without TLS. */
  readonly tls?: BrokerTlsFiles;
  readonly sasl?: { readonly mechanism: SaslMechanism; readonly username: string; readonly password: string };
}

const SASL_MECHANISMS = ['plain', 'scram-sha-256', 'scram-sha-512'] as const;
type SaslMechanism = (typeof SASL_MECHANISMS)[number];

const TLS_FILES = {
  caFile: 'SLUICE_KAFKA_TLS_CA_FILE',
  certFile: 'SLUICE_KAFKA_TLS_CERT_FILE',
  keyFile: 'SLUICE_KAFKA_TLS_KEY_FILE',
} as const;

/** @throws SluiceError `configuration` for settings that do not fit each other */
export function toKafkaConfig(settings: KafkaSettings, brokers: readonly string[]): KafkaConfig {
  const replicationFactor = settings.SLUICE_KAFKA_REPLICATION_FACTOR;
  const minInSyncReplicas = settings.SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS;
  if (!brokers.every(isBrokerAddress)) {
    throw new SluiceError('configuration', 'SLUICE_KAFKA_BROKERS: each address must be host:port');
  }
  if (minInSyncReplicas > replicationFactor) {
    const message = `SLUICE_KAFKA_MIN_IN_SYNC_REPLICAS: expected at most SLUICE_KAFKA_REPLICATION_FACTOR, which is ${replicationFactor}`;
    throw new SluiceError('configuration', message);
  }
  const { caFile, certFile, keyFile } = TLS_FILES;
  const tls = toBrokerTls(
    { setting: 'SLUICE_KAFKA_TLS', value: settings.SLUICE_KAFKA_TLS },
    { caFile: settings[caFile], certFile: settings[certFile], keyFile: settings[keyFile] },
    TLS_FILES,
  );
  return {
    brokers,
    partitions: settings.SLUICE_KAFKA_PARTITIONS,
    replicationFactor,
    minInSyncReplicas,
    ...(tls === undefined ? {} : { tls }),
    ...toSasl(settings.SLUICE_KAFKA_SASL),
  };
}

function isBrokerAddress(address: string): boolean {
  const port = Number(/^[^\s:/@]+:(\d{1,5})$/.exec(address)?.[1] ?? 0);
  return port >= 1 && port <= 65_535;
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
