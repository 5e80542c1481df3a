import {
  encodeEnvelope,
  eventCatalogue,
  eventDataSchema,
  eventEnvelopeSchema,
  MAX_EVENT_BYTES,
  MAX_WORKSPACE_ID,
  type EncodedEnvelope,
  type EventCatalogue,
  type EventEnvelope,
} from '@sluice/event-schema';
import { decodeUtf8, readSealedHeader, type LogRecord, type ParkedRecord, type ParkReason } from '@sluice/event-log';
import type { z } from 'zod';

export type DecodedRecord =
  | { readonly kind: 'envelope'; readonly envelope: EncodedEnvelope }
  | { readonly kind: 'parked'; readonly parked: ParkedRecord };

/** Longest detail, and longest id, that is kept of a fault. */
const MAX_DETAIL_LENGTH = 500;
const MAX_ID_LENGTH = 64;

/** Reads one record of the log. What cannot become an event is parked, with the reason. */
export function decodeRecord(record: LogRecord, catalogue: EventCatalogue = eventCatalogue): DecodedRecord {
  const parked = (reason: ParkReason, detail: string, value?: unknown): DecodedRecord => ({
    kind: 'parked',
    parked: parkedRecord(record, reason, detail, value),
  });
  if (record.value.byteLength > MAX_EVENT_BYTES) {
    return parked('too_large', `${record.value.byteLength} bytes; at most ${MAX_EVENT_BYTES} are allowed`);
  }
  const sealed = readSealedHeader(record.value);
  if (sealed) {
    const { entity, eventId } = sealed;
    return parked('not_json', 'The record is sealed, and no key opens it', { ...entity, id: eventId });
  }
  let json: string;
  let value: unknown;
  try {
    json = decodeUtf8(record.value);
    value = JSON.parse(json);
  } catch (error) {
    return parked('not_json', String(error));
  }
  const parsed = eventEnvelopeSchema.safeParse(value);
  if (!parsed.success) {
    return parked('invalid_envelope', firstIssue(parsed.error), value);
  }
  const event = parsed.data;
  const known = catalogue.currentVersion(event.family, event.type);
  if (event.schemaVersion > known) {
    return parked('unknown_version', `version ${event.schemaVersion}; ${known} is the newest known`, event);
  }
  const data = dataSchemaOf(event, catalogue)?.safeParse(event.data);
  if (data?.success === false) return parked('invalid_envelope', firstIssue(data.error, 'data'), event);
  // Text from other producers may be formatted; ours is one line and is kept byte for byte.
  return { kind: 'envelope', envelope: isOneLine(json) ? { event, json } : encodeEnvelope(event) };
}

/** What data of this type has at this version, which is at most the newest known; undefined when any object will do. */
function dataSchemaOf({ family, type, schemaVersion }: EventEnvelope, catalogue: EventCatalogue) {
  const definition = catalogue.find(family, type);
  const step = definition?.upcasters[schemaVersion - 1];
  const schema = step ? step.data : definition?.data;
  // The envelope's own schema has looked at that already.
  return schema === eventDataSchema ? undefined : schema;
}

function firstIssue({ issues: [issue] }: z.ZodError, ...within: string[]): string {
  return `${[...within, ...(issue?.path ?? [])].join('.')}: ${issue?.message ?? ''}`;
}

const isOneLine = (json: string) => json.startsWith('{"') && !/[\r\n]/.test(json);

/** The parked form of a record, with what can be known of its workspace and id for those who look for it. */
export function parkedRecord(record: LogRecord, reason: ParkReason, detail: string, value?: unknown): ParkedRecord {
  const { workspaceId, id } = (typeof value === 'object' && value !== null ? value : {}) as Record<string, unknown>;
  const known = typeof workspaceId === 'number' && Number.isInteger(workspaceId) && workspaceId >= 0;
  return {
    lane: record.lane,
    index: record.index,
    value: record.value,
    reason,
    detail: storable(detail),
    ...(known && workspaceId <= MAX_WORKSPACE_ID ? { workspaceId } : {}),
    ...(typeof id === 'string' && /^[\w-]+$/.test(id) && id.length <= MAX_ID_LENGTH ? { eventId: id } : {}),
  };
}

/** PostgreSQL's text can hold neither NUL nor half of a surrogate pair, which cutting may leave. */
function storable(detail: string): string {
  const cut = detail.replaceAll('\0', '\\0').slice(0, MAX_DETAIL_LENGTH);
  return Buffer.from(cut, 'utf8').toString('utf8');
}
