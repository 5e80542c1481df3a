import { workspaceIdSchema, MAX_TIMESTAMP_MS } from '@sluice/event-schema';
import { z } from 'zod';
import { roleSchema } from '../roles';

/** Longest name of a key, in UTF-16 code units. */
export const MAX_KEY_NAME_LENGTH = 100;

export const requestsPerSecondSchema = z.number().min(0.001).max(1_000_000);
export const burstSchema = z.int().min(1).max(10_000_000);
export const connectionsSchema = z.int().min(0).max(1_000_000);

/** Limits of one caller. What is absent is as configured. */
export const callerLimitsSchema = z.strictObject({
  requestsPerSecond: requestsPerSecondSchema.optional(),
  /** How many requests may come at once. */
  burst: burstSchema.optional(),
  /** How many streams may be open at a time. */
  connections: connectionsSchema.optional(),
});

export type CallerLimits = Readonly<z.infer<typeof callerLimitsSchema>>;

export const keyNameSchema = z
  .string()
  .min(1)
  .max(MAX_KEY_NAME_LENGTH)
  .regex(/^[^\p{C}\u2028\u2029]+$/u, 'must not have control characters');

const instantMsSchema = z.int().min(0).max(MAX_TIMESTAMP_MS);

export const keyHashSchema = z.string().regex(/^[0-9a-f]{64}$/, 'must be a SHA-256 in lower-case hex');

/** An API key as it is stored: never its text, only the SHA-256 of it. Times are in milliseconds since 1970. */
export const apiKeyRecordSchema = z
  .strictObject({
    keyId: z.uuidv4(),
    hash: keyHashSchema,
    workspaceId: workspaceIdSchema.nullable(),
    role: roleSchema,
    name: keyNameSchema,
    createdAt: instantMsSchema,
    expiresAt: instantMsSchema.optional(),
    revokedAt: instantMsSchema.optional(),
    limits: callerLimitsSchema.optional(),
  })
  .refine(({ role, workspaceId }) => (role === 'operator') === (workspaceId === null), {
    error: 'an operator has no workspace, every other role has one',
    path: ['workspaceId'],
  });

export type ApiKeyRecord = Readonly<z.infer<typeof apiKeyRecordSchema>>;

/** What may be shown of a key to those who administer it. */
export type ApiKeySummary = Omit<ApiKeyRecord, 'hash'>;

/** The record without its hash. */
export function summariseApiKey(record: ApiKeyRecord): ApiKeySummary {
  const { hash: _hash, ...summary } = record;
  return summary;
}

/**
 * Whether one may act by this key at an instant. An operator with a workspace, or anyone else without, is a record that
 * nobody may act by.
 */
export function isInForce(record: ApiKeyRecord, nowMs: number): boolean {
  if ((record.role === 'operator') !== (record.workspaceId === null)) return false;
  return record.revokedAt === undefined && (record.expiresAt === undefined || nowMs < record.expiresAt);
}
