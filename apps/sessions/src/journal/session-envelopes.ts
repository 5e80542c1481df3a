import type { SessionEventDraft } from '@sluice/agent-sessions';
import { SluiceError } from '@sluice/event-log';
import {
  encodeEnvelope,
  eventCatalogue,
  eventEnvelopeSchema,
  MAX_EVENT_BYTES,
  sessionEnvelopeId,
  sessionEventDataSchema,
  type EncodedEnvelope,
  type EventEnvelope,
  type StoredSessionEventType,
} from '@sluice/event-schema';

const FAMILY = 'session';

/** Whose event it is, and when it was decided. */
export interface EnvelopeScope {
  readonly workspaceId: number;
  readonly sessionId: string;
  readonly nowMs: number;
  readonly traceparent?: string | undefined;
}

/**
 * A draft as it goes to the log. What is acknowledged must never be parked by the projector, so it is checked as a whole.
 * @throws SluiceError `payload_too_large`, `invalid_request`
 */
export function toEnvelope(scope: EnvelopeScope, draft: SessionEventDraft): EncodedEnvelope {
  const { body, processedInputs, runId } = draft;
  const notes = {
    ...(processedInputs !== undefined && { processed_inputs: processedInputs }),
    ...(runId !== undefined && { run_id: runId }),
  };
  const envelope: EventEnvelope = {
    id: sessionEnvelopeId(scope.workspaceId, scope.sessionId, body.id),
    family: FAMILY,
    entityId: scope.sessionId,
    workspaceId: scope.workspaceId,
    type: body.type,
    schemaVersion: eventCatalogue.currentVersion(FAMILY, body.type),
    occurredAt: scope.nowMs,
    data: { ...body, ...(Object.keys(notes).length > 0 && { sluice: notes }) },
    ...(scope.traceparent !== undefined && { traceparent: scope.traceparent }),
  };
  const issue =
    eventEnvelopeSchema.safeParse(envelope).error?.issues[0] ??
    sessionEventDataSchema(body.type as StoredSessionEventType).safeParse(envelope.data).error?.issues[0];
  if (issue) {
    const where = ['event', body.type, ...issue.path.map(String)].join('.');
    throw new SluiceError('invalid_request', `${where}: ${issue.message}`, { where });
  }
  const encoded = encodeEnvelope(envelope);
  if (encoded.json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(encoded.json) > MAX_EVENT_BYTES) {
    throw new SluiceError('payload_too_large', `An event is at most ${MAX_EVENT_BYTES} bytes when encoded`, {
      where: body.type,
    });
  }
  return encoded;
}
