import { workspaceIdSchema } from '@sluice/event-schema';
import { z } from 'zod';
import { wallClock, type Clock } from '../clock';
import { invalidRequest } from '../errors';
import { workspaceRoleSchema } from '../roles';
import { callerLimitsSchema, keyNameSchema, type ApiKeyRecord } from './api-key-record';
import type { ApiKeyStore } from './api-key-store';
import { hashApiKey, newApiKeyText } from './api-key-text';

/** What may be asked of a new key. The role of an operator is not among it: that one comes from configuration only. */
export const newApiKeySchema = z.strictObject({
  workspaceId: workspaceIdSchema,
  role: workspaceRoleSchema,
  name: keyNameSchema,
  /** In milliseconds since 1970, in the future. */
  expiresAt: z.int().optional(),
  limits: callerLimitsSchema.optional(),
});

export type NewApiKey = z.input<typeof newApiKeySchema>;

/**
 * Makes a key and stores it. The text is given here and never again.
 * Throws `invalid_request` for faulty input, and what the store throws.
 */
export async function issueApiKey(
  store: ApiKeyStore,
  request: NewApiKey,
  clock: Clock = wallClock,
): Promise<{ readonly apiKey: string; readonly record: ApiKeyRecord }> {
  const now = clock();
  const parsed = newApiKeySchema
    .refine(({ expiresAt }) => expiresAt === undefined || expiresAt > now, {
      error: 'must be in the future',
      path: ['expiresAt'],
    })
    .safeParse(request);
  if (!parsed.success) throw invalidRequest(parsed.error);
  const apiKey = newApiKeyText();
  const record: ApiKeyRecord = {
    keyId: crypto.randomUUID(),
    hash: await hashApiKey(apiKey),
    createdAt: now,
    ...parsed.data,
  };
  await store.insert(record);
  return { apiKey, record };
}
