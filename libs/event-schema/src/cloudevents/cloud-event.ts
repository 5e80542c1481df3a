import { z } from 'zod';
import { eventDataSchema, safeNameSchema, type EventEnvelope } from '../envelope';
import type { EventFamily } from '../family';
import { EVENT_FAMILIES } from '../family';
import { MAX_NAME_LENGTH } from '../limits';

/** CloudEvents source of an entity: `/{family}/{workspaceId}/{entityId}` (the last part percent-encoded). */
export function cloudEventSource(event: Pick<EventEnvelope, 'family' | 'workspaceId' | 'entityId'>): string {
  return `/${event.family}/${event.workspaceId}/${encodeURIComponent(event.entityId)}`;
}

export interface CloudEventOrigin {
  readonly family: EventFamily;
  readonly workspaceId: number;
  readonly entityId: string;
}

/** Reads a source that `cloudEventSource` wrote; undefined for any other source. */
export function parseCloudEventSource(source: string): CloudEventOrigin | undefined {
  const match = /^\/([a-z]+)\/(\d{1,10})\/([^/]+)$/.exec(source);
  const family = EVENT_FAMILIES.find((name) => name === match?.[1]);
  if (!match?.[2] || !match[3] || !family) return undefined;
  try {
    return { family, workspaceId: Number(match[2]), entityId: decodeURIComponent(match[3]) };
  } catch {
    return undefined;
  }
}

/** RFC 3339, with any offset, as CloudEvents 1.0 asks. */
const timeSchema = z.iso.datetime({ offset: true });

/**
 * A CloudEvents 1.0 event in its JSON form, as a producer sends it. Unknown extension attributes are accepted and dropped,
 * as the specification allows an intermediary that does not forward them.
 */
export const cloudEventSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(MAX_NAME_LENGTH),
  source: z.string().min(1).max(2048),
  type: safeNameSchema,
  time: timeSchema.optional(),
  subject: z.string().max(2048).optional(),
  datacontenttype: z
    .string()
    .regex(/^application\/(?:[\w.+-]+\+)?json(?:\s*;.*)?$/i, 'only JSON data is accepted')
    .optional(),
  data: eventDataSchema.optional(),
  data_base64: z.never({ error: 'binary data is not accepted; send JSON in "data"' }).optional(),
  correlationid: safeNameSchema.optional(),
  causationid: safeNameSchema.optional(),
  traceparent: z.string().max(64).optional(),
});

export type CloudEventInput = z.infer<typeof cloudEventSchema>;

/** What we serve: every attribute of the envelope, as CloudEvents attributes and extensions. */
export interface CloudEvent {
  readonly specversion: '1.0';
  readonly id: string;
  readonly source: string;
  readonly type: string;
  readonly subject: string;
  readonly time: string;
  readonly datacontenttype: 'application/json';
  readonly workspaceid: string;
  readonly schemaversion: string;
  readonly correlationid?: string;
  readonly causationid?: string;
  readonly traceparent?: string;
  readonly data: Record<string, unknown>;
}

/** The CloudEvents form of an envelope. */
export function toCloudEvent(event: EventEnvelope): CloudEvent {
  return {
    specversion: '1.0',
    id: event.id,
    source: cloudEventSource(event),
    type: event.type,
    subject: event.entityId,
    time: new Date(event.occurredAt).toISOString(),
    datacontenttype: 'application/json',
    workspaceid: String(event.workspaceId),
    schemaversion: String(event.schemaVersion),
    ...(event.correlationId === undefined ? {} : { correlationid: event.correlationId }),
    ...(event.causationId === undefined ? {} : { causationid: event.causationId }),
    ...(event.traceparent === undefined ? {} : { traceparent: event.traceparent }),
    data: event.data,
  };
}

/** Header names of the binary HTTP mode carry this prefix. */
export const CLOUD_EVENT_HEADER_PREFIX = 'ce-';

const STRUCTURED_MEDIA_TYPE = 'application/cloudevents+json';
const BATCH_MEDIA_TYPE = 'application/cloudevents-batch+json';

export type CloudEventMode = 'structured' | 'batch' | 'binary' | 'none';

/** Which CloudEvents HTTP mode a request uses, told by its content type and `ce-specversion`. */
export function cloudEventMode(contentType: string | undefined, specVersionHeader: string | undefined): CloudEventMode {
  const mediaType = contentType?.split(';', 1)[0]?.trim().toLowerCase();
  if (mediaType === STRUCTURED_MEDIA_TYPE) return 'structured';
  if (mediaType === BATCH_MEDIA_TYPE) return 'batch';
  return specVersionHeader === undefined ? 'none' : 'binary';
}

/** Gathers the attributes of a binary-mode request; the body is the data. Header values are percent-decoded. */
export function cloudEventFromHeaders(
  headers: Readonly<Record<string, string | string[] | undefined>>,
  data: unknown,
): Record<string, unknown> {
  const attributes: Record<string, unknown> = { data };
  for (const [name, value] of Object.entries(headers)) {
    if (!name.startsWith(CLOUD_EVENT_HEADER_PREFIX) || typeof value !== 'string') continue;
    const attribute = name.slice(CLOUD_EVENT_HEADER_PREFIX.length);
    if (attribute === 'data' || attribute === '__proto__') continue;
    attributes[attribute] = decodeHeaderValue(value);
  }
  const contentType = headers['content-type'];
  if (typeof contentType === 'string') attributes['datacontenttype'] = contentType;
  return attributes;
}

function decodeHeaderValue(value: string): string {
  try {
    return decodeURIComponent(value);
  } catch {
    return value;
  }
}
