import { safeNameSchema } from '@sluice/event-schema';
import { z } from 'zod';
import {
  burstSchema,
  callerLimitsSchema,
  connectionsSchema,
  keyHashSchema,
  keyNameSchema,
  requestsPerSecondSchema,
} from './api-keys/api-key-record';
import { isApiKeyText } from './api-keys/api-key-text';
import { keySetSchema, publicKeySet } from './tokens/key-set';

/** Shortest secret for HS256, in bytes of UTF-8: as long as the hash, as RFC 7518 asks. */
export const MIN_SECRET_BYTES = 32;

/** Most secrets at a time. Two are a rotation. */
const MAX_SECRETS = 8;

const tokenSecretSchema = z.strictObject({
  /** Names the secret in the tokens' header. Required as soon as there are several. */
  kid: safeNameSchema.optional(),
  secret: z
    .string()
    .max(4096)
    .refine((secret) => new TextEncoder().encode(secret).length >= MIN_SECRET_BYTES, {
      error: `must have at least ${MIN_SECRET_BYTES} bytes`,
    }),
});

const secretsSchema = z
  .array(tokenSecretSchema)
  .max(MAX_SECRETS)
  .refine((secrets) => secrets.length < 2 || secrets.every(({ kid }) => kid !== undefined), {
    error: 'several secrets need a kid each',
  })
  .refine((secrets) => new Set(secrets.map(({ kid }) => kid)).size === secrets.length, {
    error: 'each kid must be another',
  });

const remoteJwksSchema = z.strictObject({
  url: z.url({ protocol: /^https?$/ }),
  timeoutMs: z.int().min(1).max(60_000).default(5_000),
  cooldownMs: z.int().min(0).max(3_600_000).default(30_000),
  cacheMaxAgeMs: z.int().min(1_000).max(86_400_000).default(600_000),
  staleMaxAgeMs: z.int().min(0).max(86_400_000).default(3_600_000),
});

const staticJwksSchema = keySetSchema.refine((set) => publicKeySet(set).keys.length === set.keys.length, {
  error: 'must hold public RSA and OKP keys only',
});

const tokenConfigSchema = z.strictObject({
  /** HS256 secrets. The first one signs, all verify. */
  secrets: secretsSchema.default([]),
  /** Public keys for EdDSA and RS256: an address, or the set itself. */
  jwks: z.union([remoteJwksSchema, staticJwksSchema]).optional(),
  /** If given, tokens must carry it as `iss`. */
  issuer: z.string().min(1).max(1024).optional(),
  /** If given, tokens must carry it as `aud`. */
  audience: z.string().min(1).max(1024).optional(),
});

const operatorCommon = { name: keyNameSchema, limits: callerLimitsSchema.optional() };

const operatorKeySchema = z.union(
  [
    z.strictObject({ ...operatorCommon, hash: keyHashSchema }),
    z.strictObject({
      ...operatorCommon,
      apiKey: z.string().refine(isApiKeyText, { error: 'must be sk_ and 43 base64url characters' }),
    }),
  ],
  {
    error: 'must be an API key (sk_ and 43 base64url characters) or the SHA-256 of one in lower-case hexadecimal',
  },
);

const perCallerSchema = z.strictObject({
  requestsPerSecond: requestsPerSecondSchema.default(20_000),
  burst: burstSchema.default(40_000),
  connections: connectionsSchema.default(5_000),
});

const limitsSchema = z.strictObject({
  /** For each API key that does not state its own. */
  apiKey: perCallerSchema.prefault({}),
  /** For each sandbox that comes with an access token. */
  sandbox: perCallerSchema.prefault({}),
  /** Open streams of this process, of all callers together. */
  totalConnections: connectionsSchema.default(20_000),
  /** Failed authentications per source address. */
  failedAuthentication: z
    .strictObject({
      perSecond: requestsPerSecondSchema.default(5),
      burst: burstSchema.default(50),
    })
    .prefault({}),
  /** Most callers, and most source addresses, whose rate is remembered. The ones longest not seen are forgotten first. */
  maxTracked: z.int().min(1).max(1_000_000).default(10_000),
});

/** Settings of authentication and limits, each with its default; `{}` is valid. Fields ending in `Ms` are milliseconds. */
export const accessConfigSchema = z.strictObject({
  tokens: tokenConfigSchema.prefault({}),
  /** Keys of platform operators: the text, or better the SHA-256 of it. */
  operatorKeys: z.array(operatorKeySchema).max(100).default([]),
  apiKeyCache: z
    .strictObject({
      /** Also the delay until a revocation takes effect everywhere. */
      ttlMs: z.int().min(0).max(3_600_000).default(5_000),
      maxEntries: z.int().min(1).max(1_000_000).default(10_000),
      maxUnknownEntries: z.int().min(1).max(1_000_000).default(10_000),
      lookupTimeoutMs: z.int().min(1).max(60_000).default(5_000),
    })
    .prefault({}),
  tokenCache: z
    .strictObject({
      maxEntries: z.int().min(1).max(1_000_000).default(20_000),
      maxChars: z
        .int()
        .min(8 * 1024)
        .max(1024 * 1024 * 1024)
        .default(16 * 1024 * 1024),
      maxAgeMs: z.int().min(0).max(86_400_000).default(600_000),
    })
    .prefault({}),
  limits: limitsSchema.prefault({}),
});

/** Valid settings, with all defaults filled in. */
export type AccessConfig = z.infer<typeof accessConfigSchema>;

/** Settings as they are written, where everything may be left out. */
export type AccessConfigInput = z.input<typeof accessConfigSchema>;

export type TokenConfig = AccessConfig['tokens'];
export type TokenSecretConfig = TokenConfig['secrets'][number];
export type OperatorKeyConfig = AccessConfig['operatorKeys'][number];
export type LimitsConfig = AccessConfig['limits'];
