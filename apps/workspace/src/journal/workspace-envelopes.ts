import { SluiceError } from '@sluice/event-log';
import {
  encodeEnvelope,
  eventCatalogue,
  eventEnvelopeSchema,
  MAX_EVENT_BYTES,
  newEventId,
  workspaceEventDataSchema,
  type EncodedEnvelope,
  type EventEnvelope,
} from '@sluice/event-schema';
import { keyedEventId, type CommandScope } from './command-scope';
import type { WorkspaceDraft } from './workspace-draft';

export const FAMILY = 'workspace';

/**
 * What one call writes, as it is appended: all of it shares a correlation id.
 * @throws SluiceError `invalid_request`, `payload_too_large`
 */
export function encodeDrafts(
  scope: CommandScope,
  drafts: readonly WorkspaceDraft[],
  occurredAt: number,
): EncodedEnvelope[] {
  const correlationId = newEventId();
  const ordinals = new Map<string, number>();
  return drafts.map((draft) => {
    const ordinal = ordinals.get(draft.type) ?? 0;
    ordinals.set(draft.type, ordinal + 1);
    return encodeChecked({
      id: draft.eventId ?? eventIdOf(scope, draft.type, ordinal),
      family: FAMILY,
      entityId: draft.entityId,
      workspaceId: scope.workspaceId,
      type: draft.type,
      schemaVersion: eventCatalogue.currentVersion(FAMILY, draft.type),
      occurredAt,
      data: draft.data,
      correlationId,
      ...(scope.commandId !== undefined && { causationId: scope.commandId }),
      ...(scope.traceparent !== undefined && { traceparent: scope.traceparent }),
    });
  });
}

function eventIdOf({ workspaceId, key }: CommandScope, type: string, ordinal: number): string {
  return key === undefined ? newEventId() : keyedEventId(workspaceId, key, type, ordinal);
}

/** What is acknowledged must never be parked by the projector, so it is checked as a whole. */
function encodeChecked(envelope: EventEnvelope): EncodedEnvelope {
  const parsed = eventEnvelopeSchema.safeParse(envelope);
  const data = workspaceEventDataSchema(envelope.type as WorkspaceDraft['type']).safeParse(envelope.data);
  const issue = parsed.error?.issues[0] ?? data.error?.issues[0];
  if (issue) {
    const where = ['body', ...issue.path.map(String)].join('.');
    throw new SluiceError('invalid_request', `${where}: ${issue.message}`, { where });
  }
  const encoded = encodeEnvelope(envelope);
  if (encoded.json.length * 3 > MAX_EVENT_BYTES && Buffer.byteLength(encoded.json) > MAX_EVENT_BYTES) {
    throw new SluiceError('payload_too_large', `An event is at most ${MAX_EVENT_BYTES} bytes when encoded`, {
      where: 'body',
    });
  }
  return encoded;
}
