import { hostSettings, toHostConfig, toTlsConfig, type HostConfig } from '@sluice/engine';
import {
  defineSettings,
  parseSettings,
  readEnv,
  setting,
  type SettingsOf,
  type TlsConfig,
} from '@sluice/service-runtime';

/** The settings of this app beyond those of every host. */
export const pubSubSettings = defineSettings({
  SLUICE_PUBSUB_HOST: {
    schema: setting.text(),
    default: '0.0.0.0',
    description: 'Address that the pub/sub port listens on.',
  },
  SLUICE_PUBSUB_PORT: {
    schema: setting.port(),
    default: '6380',
    description: 'TCP port of the line protocol and RESP; 0 takes a free one.',
  },
  SLUICE_PUBSUB_TLS_CERT_FILE: {
    schema: setting.text().optional(),
    description:
      'Certificate chain (PEM) of this port alone; without it, that of `SLUICE_TLS_CERT_FILE`. With the key: the port speaks TLS and nothing else.',
  },
  SLUICE_PUBSUB_TLS_KEY_FILE: {
    schema: setting.text().optional(),
    description: 'Private key (PEM, without a passphrase) of the certificate.',
  },
  SLUICE_PUBSUB_TLS_CLIENT_CA_FILE: {
    schema: setting.text().optional(),
    description: 'Authorities (PEM) of clients: only who has a certificate of one of them can connect then.',
  },
  SLUICE_PUBSUB_MAX_CONNECTIONS: {
    schema: setting.integer({ min: 1 }),
    default: '20000',
    description: 'Open connections of the pub/sub port, authenticated or not.',
  },
  SLUICE_DRAIN_SPREAD: {
    schema: setting.durationMs({ max: 300_000 }),
    default: '0',
    description:
      'Over how long open streams are ended at SIGTERM, so that not all come back at once; at most half of `SLUICE_DRAIN_TIMEOUT`.',
  },
});

export interface PubSubConfig {
  readonly host: string;
  readonly port: number;
  /** The port's own; undefined: as HTTP of the process. */
  readonly tls: TlsConfig | undefined;
  readonly maxConnections: number;
  readonly drainSpreadMs: number;
}

type PubSubSettings = SettingsOf<typeof pubSubSettings> &
  Pick<SettingsOf<ReturnType<typeof hostSettings>>, 'SLUICE_TLS_RELOAD_INTERVAL'>;

/** @throws SluiceError `configuration` when one of the TLS files is named without the other. */
export function toPubSubConfig(settings: PubSubSettings): PubSubConfig {
  return {
    host: settings.SLUICE_PUBSUB_HOST,
    port: settings.SLUICE_PUBSUB_PORT,
    tls: toTlsConfig(settings, TLS_SETTINGS, settings.SLUICE_TLS_RELOAD_INTERVAL),
    maxConnections: settings.SLUICE_PUBSUB_MAX_CONNECTIONS,
    drainSpreadMs: settings.SLUICE_DRAIN_SPREAD,
  };
}

const TLS_SETTINGS = {
  certificate: 'SLUICE_PUBSUB_TLS_CERT_FILE',
  key: 'SLUICE_PUBSUB_TLS_KEY_FILE',
  clientAuthorities: 'SLUICE_PUBSUB_TLS_CLIENT_CA_FILE',
} as const;

const settings = defineSettings({ ...hostSettings({ httpPort: 8090 }), ...pubSubSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; pubSub: PubSubConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('pubsub-tcp', values), pubSub: toPubSubConfig(values) };
}
