import type { ErrorCode, ResetReason } from '@sluice/event-log';
import { z } from 'zod';

/** `invalid_cursor` at `/api/v1/events` alone: elsewhere such a cursor is an error. */
const RESET_REASONS = [
  'epoch_changed',
  'future_cursor',
  'no_longer_kept',
  'invalid_cursor',
] as const satisfies readonly (ResetReason | 'invalid_cursor')[];

/** Every code that a stream may end with, but by a fault of ours. */
export const END_CODES = [
  'slow_subscriber',
  'too_many_connections',
  'token_expired',
  'unauthorized',
  'shutting_down',
  'read_model_unavailable',
] as const satisfies readonly ErrorCode[];

const cursorSchema = z.string().meta({ description: 'Resuming from it continues.' });

/** The data of `reset`. */
export const resetSchema = z.object({ reason: z.enum(RESET_REASONS), cursor: cursorSchema });

/** The same at `/api/v1/events`, where a text that is no cursor is no error. */
export const registryResetSchema = z.object({
  reason: z.enum([...RESET_REASONS, 'invalid_cursor']),
  cursor: cursorSchema,
});

/** The data of `end`. */
export const endedSchema = z.object({
  code: z.enum(END_CODES),
  message: z.string(),
  retryable: z.boolean(),
  cursor: cursorSchema,
});
