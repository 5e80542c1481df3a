import { SluiceError } from '@sluice/event-log';
import { MAX_WORKSPACE_ID } from '@sluice/event-schema';
import {
  defineSettings,
  isLoopbackHost,
  ORIGIN_PATTERN,
  setting,
  type PortAlias,
  type SettingsOf,
  type TlsConfig,
} from '@sluice/service-runtime';
import { tlsSettings, toHttpTls } from './tls-settings';

/** Where HTTP listens, who is believed, and what web pages may do. */
export function httpSettings(defaults: { readonly httpPort: number }) {
  return defineSettings({
    SLUICE_HTTP_HOST: { schema: setting.text(), default: '0.0.0.0', description: 'Address that HTTP listens on.' },
    SLUICE_HTTP_PORT: {
      schema: setting.port(),
      default: String(defaults.httpPort),
      description: 'Port of HTTP; 0 takes a free one.',
    },
    SLUICE_HEALTH_PORT: {
      schema: setting.port().optional(),
      description:
        'A further port for `/health`, `/ready` and `/metrics` alone, never with TLS: for probes where HTTP asks for certificates.',
    },
    ...tlsSettings,
    SLUICE_TRUST_PROXY: {
      schema: setting.integer({ min: 0, max: 10 }),
      default: '0',
      description: 'Number of proxies in front whose `X-Forwarded-For` is believed.',
    },
    SLUICE_CORS_ORIGINS: {
      schema: setting.list({ minItems: 1, item: ORIGIN_PATTERN }),
      default: '*',
      description: 'Origins of web pages that may read answers, such as `https://app.example`; `*` is every one.',
    },
    SLUICE_LOOPBACK_WORKSPACE: {
      schema: setting.integer({ min: 0, max: MAX_WORKSPACE_ID }).optional(),
      description:
        'For development: the workspace of whoever comes over loopback without credentials; 0 lets nobody in so. Needs a loopback `SLUICE_HTTP_HOST`.',
    },
  });
}

export interface HttpConfig {
  readonly host: string;
  readonly port: number;
  readonly trustedProxies: number;
  /** Origins whose pages may read answers; `*` is every one. Default: every one. */
  readonly corsOrigins?: readonly string[];
  /** The workspace of who comes over loopback without credentials, where a door lets such callers in. Absent: nobody. */
  readonly loopbackWorkspace?: number;
  readonly aliases?: readonly PortAlias[];
  readonly healthPort?: PortAlias;
  /** Absent: without TLS. */
  readonly tls?: TlsConfig;
}

/** @throws SluiceError `configuration` for a loopback workspace where others than this machine can connect, and half a TLS */
export function toHttpConfig(settings: SettingsOf<ReturnType<typeof httpSettings>>): HttpConfig {
  const { SLUICE_HTTP_HOST: host, SLUICE_LOOPBACK_WORKSPACE: given } = settings;
  const loopbackWorkspace = given === 0 ? undefined : given;
  if (loopbackWorkspace !== undefined && !isLoopbackHost(host)) {
    const message = 'SLUICE_LOOPBACK_WORKSPACE: SLUICE_HTTP_HOST must be a loopback address such as 127.0.0.1 then';
    throw new SluiceError('configuration', message);
  }
  const tls = toHttpTls(settings);
  const healthPort = settings.SLUICE_HEALTH_PORT;
  return {
    host,
    port: settings.SLUICE_HTTP_PORT,
    trustedProxies: settings.SLUICE_TRUST_PROXY,
    corsOrigins: settings.SLUICE_CORS_ORIGINS,
    ...(loopbackWorkspace === undefined ? {} : { loopbackWorkspace }),
    ...(healthPort === undefined ? {} : { healthPort: { host, port: healthPort, setting: 'SLUICE_HEALTH_PORT' } }),
    ...(tls && { tls }),
  };
}
