import { z } from 'zod';
import { MAX_SESSION_CONTENT_BLOCKS } from './content-blocks';
import { engineSessionEventSchema } from './engine-event';
import { sessionEventIdSchema } from './session-ids';

/** The types of events that can be followed while they are made. */
export const PREVIEWED_SESSION_EVENT_TYPES = ['agent.message', 'agent.thinking'] as const;

export type PreviewedSessionEventType = (typeof PREVIEWED_SESSION_EVENT_TYPES)[number];

/** Longest text of one delta, in UTF-16 code units. */
export const MAX_SESSION_DELTA_LENGTH = 16_384;

const startSchema = z.object({
  type: z.literal('event_start'),
  event: z.object({ type: z.enum(PREVIEWED_SESSION_EVENT_TYPES), id: sessionEventIdSchema }),
});

const fragmentSchema = z.object({
  type: z.literal('event_delta'),
  event_id: sessionEventIdSchema,
  delta: z.object({
    type: z.literal('content_delta'),
    index: z
      .int()
      .min(0)
      .max(MAX_SESSION_CONTENT_BLOCKS - 1)
      .optional()
      .meta({ description: 'Which entry of the content it continues, or begins; 0 when absent.' }),
    content: z.object({ type: z.literal('text'), text: z.string().max(MAX_SESSION_DELTA_LENGTH) }),
  }),
});

/**
 * What can be seen of an event while it is made: that it begins, under the id that it will have, and then pieces of a
 * message's text. Never stored; the event itself is whole. Members that are not known are left out.
 */
export const sessionDeltaSchema = z.discriminatedUnion('type', [startSchema, fragmentSchema]);

export type SessionDelta = z.infer<typeof sessionDeltaSchema>;

/** One entry of a callback of an engine: an event of its run, or a delta of one that it is making. */
export const engineReportEntrySchema = z.discriminatedUnion('type', [
  engineSessionEventSchema,
  startSchema,
  fragmentSchema,
]);

export type EngineReportEntry = z.infer<typeof engineReportEntrySchema>;

/** Tells deltas from events. */
export function isSessionDelta<T extends EngineReportEntry>(entry: T): entry is Extract<T, SessionDelta> {
  return entry.type === 'event_start' || entry.type === 'event_delta';
}
