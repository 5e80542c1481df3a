import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { SluiceError } from '@sluice/event-log';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';

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
    description: 'Certificate chain (PEM). With the key: the port speaks TLS and nothing else.',
  },
  SLUICE_PUBSUB_TLS_KEY_FILE: {
    schema: setting.text().optional(),
    description: 'Private key (PEM) of the certificate.',
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
  readonly tls: { readonly certFile: string; readonly keyFile: string } | undefined;
  readonly maxConnections: number;
  readonly drainSpreadMs: number;
}

/** @throws SluiceError `configuration` when one of the TLS files is named without the other. */
export function toPubSubConfig(settings: SettingsOf<typeof pubSubSettings>): PubSubConfig {
  return {
    host: settings.SLUICE_PUBSUB_HOST,
    port: settings.SLUICE_PUBSUB_PORT,
    tls: toTls(settings.SLUICE_PUBSUB_TLS_CERT_FILE, settings.SLUICE_PUBSUB_TLS_KEY_FILE),
    maxConnections: settings.SLUICE_PUBSUB_MAX_CONNECTIONS,
    drainSpreadMs: settings.SLUICE_DRAIN_SPREAD,
  };
}

function toTls(certFile: string | undefined, keyFile: string | undefined): PubSubConfig['tls'] {
  if (certFile === undefined && keyFile === undefined) return undefined;
  if (certFile === undefined || keyFile === undefined) {
    throw new SluiceError(
      'configuration',
      'SLUICE_PUBSUB_TLS_CERT_FILE and SLUICE_PUBSUB_TLS_KEY_FILE are needed together',
    );
  }
  return { certFile, keyFile };
}

const settings = defineSettings({ ...hostSettings({ httpPort: 8090 }), ...pubSubSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; pubSub: PubSubConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('pubsub-tcp', values), pubSub: toPubSubConfig(values) };
}
