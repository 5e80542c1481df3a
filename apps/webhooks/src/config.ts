import { hostSettings, toHostConfig, type HostConfig } from '@sluice/engine';
import { SluiceError, toSluiceError } from '@sluice/event-log';
import { parsePrivateAllowList } from '@sluice/safe-fetch';
import { defineSettings, parseSettings, readEnv, setting, type SettingsOf } from '@sluice/service-runtime';
import { assertRetryPolicy, type RetryPolicy } from '@sluice/webhook-delivery';

const DAY_MS = 86_400_000;

/** The settings of this app beyond those of every host. */
export const webhooksSettings = defineSettings({
  SLUICE_WEBHOOK_TIMEOUT: {
    schema: setting.durationMs({ min: 100, max: 60_000 }),
    default: '15s',
    description: 'How long an application may take to answer.',
  },
  SLUICE_WEBHOOK_RETRY_DELAYS: {
    schema: setting.list({ minItems: 1, item: /^\d+(ms|s|m|h|d)?(\*\d{1,2})?$/ }),
    default: '5s,30s,2m,10m,30m,1h*23',
    description:
      'Waits after the first, second … failed attempt, `1h*23` being 23 of an hour; after the last wait comes the last attempt, then the event is a dead letter. At most 30 waits.',
  },
  SLUICE_WEBHOOK_MAX_RETRY_AFTER: {
    schema: setting.durationMs({ max: 7 * DAY_MS }),
    default: '1h',
    description: 'Longest wait that an application can ask for by `Retry-After`.',
  },
  SLUICE_WEBHOOK_DISABLE_AFTER: {
    schema: setting.durationMs({ min: 1_000, max: 90 * DAY_MS }),
    default: '5d',
    description: 'An endpoint that did nothing but fail for so long is disabled.',
  },
  SLUICE_WEBHOOK_CONCURRENCY: {
    schema: setting.integer({ min: 4, max: 1_000 }),
    default: '64',
    description:
      'Most requests to applications at a time: an eighth of them for one workspace, a quarter to one host, half for endpoints that failed last or are slow.',
  },
  SLUICE_WEBHOOK_MAX_ENDPOINTS: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '2000',
    description: 'Most endpoints that one process delivers to; more of them need another replica.',
  },
  SLUICE_WEBHOOK_ENDPOINTS_PER_WORKSPACE: {
    schema: setting.integer({ min: 1, max: 1_000 }),
    default: '20',
    description: 'Most endpoints of one workspace.',
  },
  SLUICE_WEBHOOK_SECRET_GRACE: {
    schema: setting.durationMs({ max: 30 * DAY_MS }),
    default: '24h',
    description: 'How long a former secret signs as well after a rotation.',
  },
  SLUICE_WEBHOOK_KEEP_DELIVERIES: {
    schema: setting.durationMs({ min: 60_000, max: 365 * DAY_MS }),
    default: '7d',
    description: 'How long a line of the delivery log is kept; of one endpoint the newest 10,000 at most.',
  },
  SLUICE_WEBHOOK_KEEP_DEAD_LETTERS: {
    schema: setting.durationMs({ min: 60_000, max: 365 * DAY_MS }),
    default: '30d',
    description: 'How long a dead letter is kept; of one endpoint the newest 10,000 at most.',
  },
  SLUICE_WEBHOOK_LEASE: {
    schema: setting.durationMs({ min: 500, max: 300_000 }),
    default: '15s',
    description: 'How long a process that says nothing keeps its endpoints; then another one takes over.',
  },
  SLUICE_WEBHOOK_ALLOW_HTTP: {
    schema: setting.boolean(),
    default: 'false',
    description: 'Also sends to `http:`; else only to `https:` and to what `SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS` lists.',
  },
  SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS: {
    schema: setting.list().optional(),
    description:
      'Origins or `host:port` in private networks that may be sent to, for instance `http://127.0.0.1:9000`. All others are refused.',
  },
  SLUICE_SECRETS_KEY: {
    schema: setting.list({ item: /^[A-Za-z0-9+/]{43}=$/ }).optional(),
    description:
      'Keys of 32 bytes in base64 that seal what signs for endpoints: the first seals, each opens. Without it no endpoint can be made.',
    secret: true,
  },
});

export interface WebhooksConfig {
  readonly timeoutMs: number;
  readonly policy: RetryPolicy;
  readonly concurrency: number;
  readonly maxEndpoints: number;
  readonly endpointsPerWorkspace: number;
  readonly secretGraceMs: number;
  readonly keepDeliveriesMs: number;
  readonly keepDeadLettersMs: number;
  readonly leaseMs: number;
  readonly allowsHttp: boolean;
  /** Items of `SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS`. */
  readonly allowPrivateUrls: readonly string[];
  /** 32 bytes each; the first seals. */
  readonly secretsKeys: readonly Uint8Array[];
}

/** Waits are longer or shorter by up to this share, so that endpoints that failed together do not come back together. */
const JITTER = 0.2;

/** @throws SluiceError `configuration` */
export function toWebhooksConfig(settings: SettingsOf<typeof webhooksSettings>): WebhooksConfig {
  const delay = setting.durationMs({ max: 7 * DAY_MS });
  const policy: RetryPolicy = {
    delaysMs: settings.SLUICE_WEBHOOK_RETRY_DELAYS.flatMap((text) => {
      const [wait, times = '1'] = text.split('*');
      return Array.from({ length: Number(times) }, () => delay.parse(wait));
    }),
    jitter: JITTER,
    maxRetryAfterMs: settings.SLUICE_WEBHOOK_MAX_RETRY_AFTER,
    disableAfterMs: settings.SLUICE_WEBHOOK_DISABLE_AFTER,
  };
  named('SLUICE_WEBHOOK_RETRY_DELAYS', () => assertRetryPolicy(policy));
  const allowPrivateUrls = settings.SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS ?? [];
  named('SLUICE_WEBHOOK_ALLOW_PRIVATE_URLS', () => parsePrivateAllowList(allowPrivateUrls));
  return {
    timeoutMs: settings.SLUICE_WEBHOOK_TIMEOUT,
    policy,
    concurrency: settings.SLUICE_WEBHOOK_CONCURRENCY,
    maxEndpoints: settings.SLUICE_WEBHOOK_MAX_ENDPOINTS,
    endpointsPerWorkspace: settings.SLUICE_WEBHOOK_ENDPOINTS_PER_WORKSPACE,
    secretGraceMs: settings.SLUICE_WEBHOOK_SECRET_GRACE,
    keepDeliveriesMs: settings.SLUICE_WEBHOOK_KEEP_DELIVERIES,
    keepDeadLettersMs: settings.SLUICE_WEBHOOK_KEEP_DEAD_LETTERS,
    leaseMs: settings.SLUICE_WEBHOOK_LEASE,
    allowsHttp: settings.SLUICE_WEBHOOK_ALLOW_HTTP,
    allowPrivateUrls,
    secretsKeys: (settings.SLUICE_SECRETS_KEY ?? []).map((key) => Buffer.from(key, 'base64')),
  };
}

/** Told at start what is wrong with a setting. */
function named(name: string, check: () => void): void {
  try {
    check();
  } catch (error) {
    throw new SluiceError('configuration', `${name}: ${toSluiceError(error).message}`, { cause: error });
  }
}

/** Every setting of the process that runs this app alone. */
export const settings = defineSettings({ ...hostSettings({ httpPort: 8090 }), ...webhooksSettings });

/** @throws SluiceError `configuration` */
export function readConfig(): { host: HostConfig; webhooks: WebhooksConfig } {
  const values = parseSettings(settings, readEnv(settings, process.env));
  return { host: toHostConfig('webhooks', values), webhooks: toWebhooksConfig(values) };
}
