import { z } from 'zod';
import { RESET_REASONS } from '../cursors';
import { STREAM_END_CODES } from '@sluice/event-streams';

const cursorSchema = z.string().meta({ description: 'Resuming from it continues.' });

/** The data of `reset`. */
export const resetSchema = z.object({ reason: z.enum(RESET_REASONS), cursor: cursorSchema });

/** The same at `/api/v1/events`, where a text that is no cursor is no error. */
export const registryResetSchema = resetSchema.extend({ reason: z.enum([...RESET_REASONS, 'invalid_cursor']) });

/** The data of `end`. */
export const endedSchema = z.object({
  code: z.enum(STREAM_END_CODES),
  message: z.string(),
  retryable: z.boolean(),
  cursor: cursorSchema,
});
