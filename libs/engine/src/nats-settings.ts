import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';
import { toBrokerTls, type BrokerTlsFiles } from './broker-files';

/** Where NATS is, and what the delivery log keeps. */
export const natsSettings = defineSettings({
  SLUICE_NATS_URL: {
    schema: setting.list({ minItems: 1 }).optional(),
    description: 'Addresses `nats://host:port` of the NATS servers. Required by `cluster`.',
  },
  SLUICE_NATS_TOKEN: { schema: setting.text().optional(), description: 'Token for NATS.', secret: true },
  SLUICE_NATS_USER: { schema: setting.text().optional(), description: 'User for NATS, with its password.' },
  SLUICE_NATS_PASSWORD: { schema: setting.text().optional(), description: 'Password of that user.', secret: true },
  SLUICE_NATS_CREDENTIALS_FILE: {
    schema: setting.text().optional(),
    description: 'File with the JWT and the seed of a NATS user. Read again at each connection.',
  },
  SLUICE_NATS_TLS: {
    schema: setting.boolean(),
    default: 'false',
    description:
      'Insist on TLS to NATS; servers are given by name then, not by address. Without it, TLS is spoken where they ask for it.',
  },
  SLUICE_NATS_TLS_CA_FILE: {
    schema: setting.text().optional(),
    description: 'Authorities (PEM) of the NATS servers, in place of the public ones. Read at each connection.',
  },
  SLUICE_NATS_TLS_CERT_FILE: {
    schema: setting.text().optional(),
    description: 'Certificate (PEM) to show to the NATS servers. Read at each connection.',
  },
  SLUICE_NATS_TLS_KEY_FILE: {
    schema: setting.text().optional(),
    description: 'Private key (PEM) of that certificate.',
  },
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
});

export type NatsSettings = SettingsOf<typeof natsSettings>;

export interface NatsConfig {
  readonly servers: readonly string[];
  readonly token?: string;
  readonly user?: string;
  readonly password?: string;
  readonly credentialsFile?: string;
  /** Absent: as the servers ask for it. */
  readonly tls?: BrokerTlsFiles;
  readonly replicas: number;
  readonly maxAgeMs: number;
  readonly maxBytes: number;
}

const TLS_FILES = {
  caFile: 'SLUICE_NATS_TLS_CA_FILE',
  certFile: 'SLUICE_NATS_TLS_CERT_FILE',
  keyFile: 'SLUICE_NATS_TLS_KEY_FILE',
} as const;

/** @throws SluiceError `configuration` for settings that do not fit each other */
export function toNatsConfig(settings: NatsSettings, servers: readonly string[]): NatsConfig {
  const { caFile, certFile, keyFile } = TLS_FILES;
  const tls = toBrokerTls(
    { setting: 'SLUICE_NATS_TLS', value: settings.SLUICE_NATS_TLS },
    { caFile: settings[caFile], certFile: settings[certFile], keyFile: settings[keyFile] },
    TLS_FILES,
  );
  return {
    servers,
    replicas: settings.SLUICE_NATS_REPLICAS,
    maxAgeMs: settings.SLUICE_DELIVERY_RETENTION,
    maxBytes: settings.SLUICE_DELIVERY_MAX_BYTES,
    ...(tls === undefined ? {} : { tls }),
    ...toCredentials(settings),
  };
}

/** One way to log in, or none. */
function toCredentials(settings: NatsSettings): Pick<NatsConfig, 'token' | 'user' | 'password' | 'credentialsFile'> {
  const { SLUICE_NATS_TOKEN: token, SLUICE_NATS_CREDENTIALS_FILE: credentialsFile } = settings;
  const { SLUICE_NATS_USER: user, SLUICE_NATS_PASSWORD: password } = settings;
  if ((user === undefined) !== (password === undefined)) {
    throw new SluiceError('configuration', 'SLUICE_NATS_USER and SLUICE_NATS_PASSWORD are needed together');
  }
  if ([token, user, credentialsFile].filter((each) => each !== undefined).length > 1) {
    const message = 'expected one of SLUICE_NATS_TOKEN, SLUICE_NATS_USER and SLUICE_NATS_CREDENTIALS_FILE';
    throw new SluiceError('configuration', message);
  }
  if (user !== undefined && password !== undefined) return { user, password };
  if (credentialsFile !== undefined) return { credentialsFile };
  return token === undefined ? {} : { token };
}
