import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { ingestSettings, toIngestConfig, type IngestConfig } from '@sluice/ingest';
import { projectorSettings, toProjectorConfig, type ProjectorConfig } from '@sluice/projector';
import { pubSubSettings, toPubSubConfig, type PubSubConfig } from '@sluice/pubsub-tcp';
import { querySettings, toQueryConfig, type QueryConfig } from '@sluice/query';
import { registryWatcherSettings, toRegistryWatcherConfig, type RegistryWatcherConfig } from '@sluice/registry-watcher';
import {
  defineSettings,
  isLoopbackHost,
  parseSettings,
  readEnv,
  setting,
  type SettingsOf,
} from '@sluice/service-runtime';
import { sessionsSettings, toSessionsConfig, type SessionsConfig } from '@sluice/sessions';
import { sseStreamSettings, toSseStreamConfig, type SseStreamConfig } from '@sluice/sse-stream';
import { toWebhooksConfig, webhooksSettings, type WebhooksConfig } from '@sluice/webhooks';
import { toWorkspaceConfig, workspaceSettings, type WorkspaceConfig } from '@sluice/workspace';

const host = hostSettings({ httpPort: 8080 });

/** The settings of this app beyond those of its parts, and those that have another default here. */
export const allInOneSettings = defineSettings({
  SLUICE_DATA_DIR: {
    schema: setting.text(),
    default: '.sluice',
    description: 'Where the database, the secrets and `dev.json` are kept.',
  },
  SLUICE_ENGINE: { ...host.SLUICE_ENGINE, default: 'embedded' },
  SLUICE_HTTP_HOST: { ...host.SLUICE_HTTP_HOST, default: '127.0.0.1' },
  SLUICE_HTTP_PORT: host.SLUICE_HTTP_PORT,
  SLUICE_GATEWAY_PORT: {
    schema: setting.port(),
    default: '18790',
    description: 'A second port of the same doors, where clients of agent gateways look for one; 0 takes a free one.',
  },
  SLUICE_PUBSUB_HOST: { ...pubSubSettings.SLUICE_PUBSUB_HOST, default: '127.0.0.1' },
  SLUICE_LOG_FORMAT: { ...host.SLUICE_LOG_FORMAT, default: 'text' },
});

/** Every setting of the process. */
export const settings = defineSettings({
  ...host,
  ...ingestSettings,
  ...projectorSettings,
  ...sseStreamSettings,
  ...querySettings,
  ...pubSubSettings,
  ...workspaceSettings,
  ...registryWatcherSettings,
  ...webhooksSettings,
  ...sessionsSettings,
  ...allInOneSettings,
});

export interface AllInOneConfig {
  readonly host: HostConfig;
  readonly ingest: IngestConfig;
  readonly projector: ProjectorConfig;
  readonly sseStream: SseStreamConfig;
  readonly query: QueryConfig;
  readonly pubSub: PubSubConfig;
  readonly workspace: WorkspaceConfig;
  readonly registryWatcher: RegistryWatcherConfig;
  readonly sessions: SessionsConfig;
  readonly webhooks: WebhooksConfig;
}

/** What the process makes itself where the environment does not say it. */
export type Fallbacks = Partial<
  Record<
    'SLUICE_DATABASE_URL' | 'SLUICE_TOKEN_SECRETS' | 'SLUICE_OPERATOR_KEYS' | 'SLUICE_SECRETS_KEY' | 'SLUICE_FILES_DIR',
    string
  >
>;

/** The settings needed before anything is started. @throws SluiceError `configuration` */
export function readBasics(
  env: NodeJS.ProcessEnv = process.env,
): Pick<
  SettingsOf<typeof settings>,
  'SLUICE_DATA_DIR' | 'SLUICE_ENGINE' | 'SLUICE_DATABASE_URL' | 'SLUICE_TOKEN_SECRETS' | 'SLUICE_OPERATOR_KEYS'
> {
  return parseSettings(settings, readEnv(settings, env));
}

/** @throws SluiceError `configuration` */
export function readConfig(fallbacks: Fallbacks, env: NodeJS.ProcessEnv = process.env): AllInOneConfig {
  const values = parseSettings(settings, readEnv(settings, { ...fallbacks, ...definedOf(env) }));
  return {
    host: toOwnHostConfig(values),
    ingest: toIngestConfig(values),
    projector: toProjectorConfig(values),
    sseStream: toSseStreamConfig(values),
    query: toQueryConfig(values),
    pubSub: toPubSubConfig(values),
    workspace: toWorkspaceConfig(values),
    registryWatcher: toRegistryWatcherConfig(values),
    sessions: toSessionsConfig(values),
    webhooks: toWebhooksConfig(values),
  };
}

/** The workspace of a newcomer's first requests, which come without credentials. */
const NEWCOMERS_WORKSPACE = 1;

/** As of every process, but for the second port, and for callers of this machine that need no credentials. */
function toOwnHostConfig(values: SettingsOf<typeof settings>): HostConfig {
  const { SLUICE_ENGINE: engine, SLUICE_HTTP_HOST: httpHost, SLUICE_LOOPBACK_WORKSPACE: given } = values;
  const isForDevelopment = engine !== 'cluster' && isLoopbackHost(httpHost);
  const config = toHostConfig('sluice', {
    ...values,
    SLUICE_LOOPBACK_WORKSPACE: given ?? (isForDevelopment ? NEWCOMERS_WORKSPACE : undefined),
  });
  const alias = { host: httpHost, port: values.SLUICE_GATEWAY_PORT, setting: 'SLUICE_GATEWAY_PORT' };
  return { ...config, http: { ...config.http, aliases: [alias] } };
}

function definedOf(env: NodeJS.ProcessEnv): NodeJS.ProcessEnv {
  return Object.fromEntries(Object.entries(env).filter(([, value]) => value !== undefined && value.trim() !== ''));
}
