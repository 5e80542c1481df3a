import { v5 as uuidV5 } from 'uuid';
import { z } from 'zod';

/** Longest id that a client or an engine may give or name. */
export const MAX_SESSION_EVENT_ID_LENGTH = 128;

/** Namespace of the envelope ids of session events. Changing it would let an event be stored twice. */
const SESSION_EVENT_NAMESPACE = '8d6f2f0a-2f0c-4b0e-9c4e-5b8f7d1c3a26';

export const sessionIdSchema = z
  .string()
  .regex(/^sesn_[0-9a-f]{32}$/, 'must be "sesn_" and 32 hexadecimal digits')
  .meta({ description: 'The session: `sesn_` and 32 hexadecimal digits.' });

/** The id of a session event, as clients see it. An engine may choose it; it is unique within its session. */
export const sessionEventIdSchema = z
  .string()
  .regex(/^[A-Za-z0-9_.:-]{1,128}$/, 'must have 1 to 128 letters, digits, "_", ".", ":" or "-"')
  .meta({ description: 'Identity of the event within its session.' });

/** The id of the envelope that carries a session event: the same session and event id always give the same one. */
export function sessionEnvelopeId(workspaceId: number, sessionId: string, eventId: string): string {
  return uuidV5(JSON.stringify([workspaceId, sessionId, eventId]), SESSION_EVENT_NAMESPACE);
}
