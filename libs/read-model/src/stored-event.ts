import {
  encodeEnvelope,
  eventCatalogue,
  recordEnvelope,
  type EncodedEnvelope,
  type EncodedRecordedEvent,
  type EventEnvelope,
  type Recording,
} from '@sluice/event-schema';
import { toPosition } from '@sluice/event-log';

/** A row of `recorded_events` as the readers select it. */
export interface StoredEventRow {
  readonly position: bigint;
  readonly entity_sequence: bigint;
  readonly recorded_at: bigint;
  readonly envelope: string;
}

/** A recorded event in its current version; the text is encoded anew only when an upcaster changed it. */
export function currentRecordedEvent(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
  const current = eventCatalogue.upcast(envelope.event);
  return recordEnvelope(current === envelope.event ? envelope : encodeEnvelope(current), recording);
}

export function fromStoredRow(row: StoredEventRow): EncodedRecordedEvent {
  const event = JSON.parse(row.envelope) as EventEnvelope;
  return currentRecordedEvent(
    { event, json: row.envelope },
    {
      position: toPosition(Number(row.position)),
      entitySequence: Number(row.entity_sequence),
      recordedAt: Number(row.recorded_at),
    },
  );
}
