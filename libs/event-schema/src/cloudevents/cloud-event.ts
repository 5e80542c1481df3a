import { z } from 'zod';
import { eventDataSchema, eventEnvelopeSchema, safeNameSchema, type EventEnvelope } from '../envelope';
import { UNDECODABLE } from './undecodable';
import { cloudEventSource, parseCloudEventSource } from './source';

/** RFC 3339, with any offset, as CloudEvents 1.0 asks. */
const timeSchema = z.iso.datetime({ offset: true });

/** CloudEvents sets no length; these keep what a producer says within bounds. In UTF-16 code units. */
const MAX_ID_LENGTH = 256;
const MAX_URI_LENGTH = 2048;
const MAX_TRACEPARENT_LENGTH = 64;

const attributesSchema = z.looseObject({
  specversion: z.literal('1.0'),
  id: z.string().min(1).max(MAX_ID_LENGTH),
  source: z.string().min(1).max(MAX_URI_LENGTH),
  type: safeNameSchema,
  time: timeSchema.optional(),
  subject: z.string().max(MAX_URI_LENGTH).optional(),
  datacontenttype: z
    .string()
    .regex(/^application\/(?:[\w.+-]+\+)?json(?:\s*;.*)?$/i, 'only JSON data is accepted')
    .optional(),
  data: eventDataSchema.optional(),
  data_base64: z.never({ error: 'binary data is not accepted; send JSON in "data"' }).optional(),
  correlationid: safeNameSchema.optional(),
  causationid: safeNameSchema.optional(),
  traceparent: z.string().max(MAX_TRACEPARENT_LENGTH).optional(),
});

/**
 * A CloudEvents 1.0 event in its JSON form, as a producer sends it. Unknown extension attributes are accepted and dropped,
 * as the specification allows an intermediary that does not forward them.
 */
export const cloudEventSchema = z.preprocess((value, context) => {
  if (typeof value !== 'object' || value === null) return value;
  const members = Object.entries(value);
  for (const [name, member] of members) {
    if (member !== UNDECODABLE) continue;
    context.addIssue({ code: 'custom', path: [name], message: 'must be percent-encoded UTF-8', input: value });
  }
  // An attribute that is null counts as absent; null data is data.
  const isUnset = ([name, member]: [string, unknown]) => member === null && name !== 'data';
  return members.some(isUnset) ? Object.fromEntries(members.filter((member) => !isUnset(member))) : value;
}, attributesSchema);

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

/**
 * The envelope of a CloudEvent that `toCloudEvent` made: for readers of the events that we serve. A producer's event is
 * read with `cloudEventSchema`, because its id is not ours.
 * @throws z.ZodError when the event is not one of ours.
 */
export function fromCloudEvent(value: unknown): EventEnvelope {
  const event = cloudEventSchema.parse(value);
  const { correlationid, causationid, traceparent } = event;
  return eventEnvelopeSchema.parse({
    ...parseCloudEventSource(event.source),
    id: event.id,
    type: event.type,
    schemaVersion: wholeNumber(event['schemaversion']),
    occurredAt: Date.parse(event.time ?? ''),
    data: event.data,
    ...(correlationid === undefined ? {} : { correlationId: correlationid }),
    ...(causationid === undefined ? {} : { causationId: causationid }),
    ...(traceparent === undefined ? {} : { traceparent }),
  });
}

const wholeNumber = (text: unknown) => (typeof text === 'string' && /^\d{1,7}$/.test(text) ? Number(text) : undefined);
