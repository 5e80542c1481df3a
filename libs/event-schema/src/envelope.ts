import { z } from 'zod';
import { eventFamilySchema } from './family';
import { MAX_DATA_DEPTH, MAX_NAME_LENGTH, MAX_TIMESTAMP_MS, MAX_WORKSPACE_ID } from './limits';

/**
 * Printable, without white space, control characters or unpaired surrogates: such a name can stand in an SSE field, a
 * TCP line, a log line or a URL without escaping a frame.
 */
const SAFE_NAME = new RegExp(`^[^\\s\\p{C}]{1,${MAX_NAME_LENGTH}}$`, 'u');

export const safeNameSchema = z
  .string()
  .regex(SAFE_NAME, `must have 1 to ${MAX_NAME_LENGTH} printable characters, without white space`);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[1-8][0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;

/** Lower case only: one event must not have two spellings of its identity. */
export const eventIdSchema = z.string().regex(UUID, 'must be a UUID in lower case').meta({
  format: 'uuid',
  description: 'Identity of the event; a second event with it is the same event.',
});

export const entityIdSchema = safeNameSchema.meta({
  description: 'What the event is about, for example a sandbox id.',
});

export const eventTypeSchema = safeNameSchema.meta({
  description: 'What happened, for example `execution.completed`.',
});

export const workspaceIdSchema = z
  .int()
  .min(0)
  .max(MAX_WORKSPACE_ID)
  .meta({ description: 'The tenant. Nothing crosses from one workspace to another.' });

export const timestampMsSchema = z.int().min(0).max(MAX_TIMESTAMP_MS);

/** A W3C trace context header value. */
const traceparentSchema = z.string().regex(/^[0-9a-f]{2}-[0-9a-f]{32}-[0-9a-f]{16}-[0-9a-f]{2}$/);

/** `data` is any JSON object, up to `MAX_DATA_DEPTH` levels. It is not copied: what the door parsed is what is encoded. */
export const eventDataSchema = z
  .custom<Record<string, unknown>>((value) => typeof value === 'object' && value !== null && !Array.isArray(value), {
    error: 'must be a JSON object',
    abort: true,
  })
  .refine((data) => isWithinDepth(data, MAX_DATA_DEPTH), {
    error: `must have at most ${MAX_DATA_DEPTH} levels of objects and arrays`,
  });

/** Runs for every event at each door, so it copies nothing. Parsed JSON has own members only. */
export function isWithinDepth(value: unknown, levels: number): boolean {
  if (typeof value !== 'object' || value === null) return true;
  if (levels === 0) return false;
  if (Array.isArray(value)) {
    for (const item of value) if (!isWithinDepth(item, levels - 1)) return false;
    return true;
  }
  const members = value as Record<string, unknown>;
  for (const name in members) if (!isWithinDepth(members[name], levels - 1)) return false;
  return true;
}

/**
 * An event before it has a position: what is appended to the durable log. Strict, because its encoded text is spliced
 * into the recorded event and a caller must not be able to smuggle in a `position`.
 */
export const eventEnvelopeSchema = z.strictObject({
  id: eventIdSchema,
  family: eventFamilySchema,
  entityId: entityIdSchema,
  workspaceId: workspaceIdSchema,
  type: eventTypeSchema,
  schemaVersion: z.int().min(1).max(1_000_000),
  occurredAt: timestampMsSchema.meta({ description: 'When it happened, in milliseconds since 1970.' }),
  data: eventDataSchema,
  correlationId: safeNameSchema.optional(),
  causationId: safeNameSchema.optional(),
  traceparent: traceparentSchema.optional(),
});

export type EventEnvelope = z.infer<typeof eventEnvelopeSchema>;

/** The durable log's key: one entity's events share it, so they stay in order. */
export function entityKey(event: Pick<EventEnvelope, 'family' | 'entityId'>): string {
  return `${event.family}/${event.entityId}`;
}
