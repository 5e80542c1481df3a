import { accessConfigSchema, type AccessConfig } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import { defineSettings, setting, type SettingsOf } from '@sluice/service-runtime';

/** Who may call, and how much. */
export const accessSettings = defineSettings({
  SLUICE_TOKEN_SECRETS: {
    schema: setting.list().optional(),
    description:
      'HS256 secrets of access and stream tokens, 32 bytes or more: one, or `kid:secret` items. The first one signs.',
    secret: true,
  },
  SLUICE_TOKEN_JWKS_URL: {
    schema: setting.url({ protocols: ['https', 'http'] }).optional(),
    description: 'JSON Web Key Set with the public keys (EdDSA, RS256) of access tokens made elsewhere.',
  },
  SLUICE_TOKEN_ISSUER: { schema: setting.text().optional(), description: 'Required `iss` of access tokens.' },
  SLUICE_TOKEN_AUDIENCE: { schema: setting.text().optional(), description: 'Required `aud` of access tokens.' },
  SLUICE_OPERATOR_KEYS: {
    schema: setting.list().optional(),
    description: 'API keys (`sk_…`) of platform operators, or the SHA-256 of each in hexadecimal.',
    secret: true,
  },
  SLUICE_KEY_CACHE_TTL: {
    schema: setting.durationMs({ max: 3_600_000 }),
    default: '5s',
    description: 'How long a key is trusted without asking the store again: the delay of a revocation.',
  },
  SLUICE_KEY_REQUESTS_PER_SECOND: {
    schema: setting.integer({ min: 1 }),
    default: '20000',
    description:
      'Requests per second of one API key or sandbox over all processes, twice as many in a burst. Each event of a batch counts.',
  },
  SLUICE_KEY_CONNECTIONS: {
    schema: setting.integer({ min: 1 }),
    default: '5000',
    description:
      'Open streams per process of one API key or sandbox. Doors that count over all processes have settings of their own.',
  },
  SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND: {
    schema: setting.integer({ min: 1, max: 10_000 }),
    default: '5',
    description:
      'Bad credentials per second of one address (an IPv6 /64 counts as one), ten times as many in a burst; further ones are answered 429.',
  },
  SLUICE_MAX_CONNECTIONS: {
    schema: setting.integer({ min: 1 }),
    default: '20000',
    description: 'Open streams of one process.',
  },
});

export type AccessSettings = SettingsOf<typeof accessSettings>;

/** Which setting a part of the configuration was made from; values are never repeated in a complaint. */
const SETTING_OF: Readonly<Record<string, string>> = {
  secrets: 'SLUICE_TOKEN_SECRETS',
  jwks: 'SLUICE_TOKEN_JWKS_URL',
  issuer: 'SLUICE_TOKEN_ISSUER',
  audience: 'SLUICE_TOKEN_AUDIENCE',
  operatorKeys: 'SLUICE_OPERATOR_KEYS',
  ttlMs: 'SLUICE_KEY_CACHE_TTL',
  requestsPerSecond: 'SLUICE_KEY_REQUESTS_PER_SECOND',
  connections: 'SLUICE_KEY_CONNECTIONS',
  totalConnections: 'SLUICE_MAX_CONNECTIONS',
};

/** @throws SluiceError `configuration` */
export function toAccessConfig(settings: AccessSettings): AccessConfig {
  const { SLUICE_TOKEN_JWKS_URL: url, SLUICE_TOKEN_ISSUER: issuer, SLUICE_TOKEN_AUDIENCE: audience } = settings;
  const perCaller = {
    requestsPerSecond: settings.SLUICE_KEY_REQUESTS_PER_SECOND,
    burst: settings.SLUICE_KEY_REQUESTS_PER_SECOND * 2,
    connections: settings.SLUICE_KEY_CONNECTIONS,
  };
  const parsed = accessConfigSchema.safeParse({
    tokens: {
      secrets: (settings.SLUICE_TOKEN_SECRETS ?? []).map(toSecret),
      ...(url === undefined ? {} : { jwks: { url } }),
      ...(issuer === undefined ? {} : { issuer }),
      ...(audience === undefined ? {} : { audience }),
    },
    operatorKeys: (settings.SLUICE_OPERATOR_KEYS ?? []).map((text, index) => ({
      name: `operator ${index + 1}`,
      ...(text.startsWith('sk_') ? { apiKey: text } : { hash: text }),
    })),
    apiKeyCache: { ttlMs: settings.SLUICE_KEY_CACHE_TTL },
    limits: {
      apiKey: perCaller,
      sandbox: perCaller,
      totalConnections: settings.SLUICE_MAX_CONNECTIONS,
      failedAuthentication: {
        perSecond: settings.SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND,
        burst: settings.SLUICE_FAILED_AUTHENTICATIONS_PER_SECOND * 10,
      },
    },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const name = issue?.path.map((part) => SETTING_OF[String(part)]).find((each) => each !== undefined);
  throw new SluiceError('configuration', `${name ?? 'Access settings'}: ${issue?.message ?? ''}`);
}

function toSecret(text: string): { kid?: string; secret: string } {
  const colon = text.indexOf(':');
  return colon === -1 ? { secret: text } : { kid: text.slice(0, colon), secret: text.slice(colon + 1) };
}
