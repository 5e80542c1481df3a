import { z } from 'zod';
import { eventEnvelopeSchema, timestampMsSchema, type EventEnvelope } from './envelope';

/** A place in the log of all events: 1, 2, 3 … without a hole within an epoch. 0 is the place before the first event. */
export type Position = number & { readonly __brand: 'Position' };

/** Names one numbering of positions. It changes when positions had to be given out anew. */
export type Epoch = string & { readonly __brand: 'Epoch' };

export const recordedEventSchema = eventEnvelopeSchema.extend({
  position: z
    .int()
    .min(1)
    .transform((value) => value as Position)
    .meta({ description: 'Place in the log of all events.' }),
  entitySequence: z.int().min(1).meta({ description: 'Place among the events of its entity: 1, 2, 3 …' }),
  recordedAt: timestampMsSchema.meta({ description: 'When it entered the read model, in milliseconds since 1970.' }),
});

/** An event as the read model holds it and as every subscriber receives it. */
export interface RecordedEvent extends EventEnvelope {
  readonly position: Position;
  readonly entitySequence: number;
  readonly recordedAt: number;
}

/** A value together with its one encoding; the text is written as it is wherever the value goes. */
export interface Encoded<T> {
  readonly event: T;
  /** One line of JSON, without a line break. */
  readonly json: string;
}

export type EncodedEnvelope = Encoded<EventEnvelope>;
export type EncodedRecordedEvent = Encoded<RecordedEvent>;

/** Encodes an envelope once. Key order is fixed, so equal envelopes have equal text. */
export function encodeEnvelope(event: EventEnvelope): EncodedEnvelope {
  const json = JSON.stringify({
    id: event.id,
    family: event.family,
    entityId: event.entityId,
    workspaceId: event.workspaceId,
    type: event.type,
    schemaVersion: event.schemaVersion,
    occurredAt: event.occurredAt,
    data: event.data,
    correlationId: event.correlationId,
    causationId: event.causationId,
    traceparent: event.traceparent,
  });
  return { event, json };
}

/** What the projector adds to an envelope. */
export type Recording = Pick<RecordedEvent, 'position' | 'entitySequence' | 'recordedAt'>;

/** Adds the recording to an encoded envelope without encoding `data` a second time. */
export function recordEnvelope(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
  const { position, entitySequence, recordedAt } = recording;
  return {
    event: { ...envelope.event, position, entitySequence, recordedAt },
    json: `{"position":${position},"entitySequence":${entitySequence},"recordedAt":${recordedAt},${envelope.json.slice(1)}`,
  };
}

/** Reads back what `recordEnvelope` wrote. For text from our own stores only: it does not validate. */
export function decodeRecordedEvent(json: string): EncodedRecordedEvent {
  return { event: JSON.parse(json) as RecordedEvent, json };
}
