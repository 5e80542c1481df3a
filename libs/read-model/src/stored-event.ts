import {
  CatalogueError,
  recordEnvelope,
  type EncodedEnvelope,
  type EncodedRecordedEvent,
  type EventEnvelope,
  type Recording,
} from '@sluice/event-schema';
import { currentRecordedEvent, toPosition } from '@sluice/event-log';

export { currentRecordedEvent };

/** A row of `recorded_events` as the readers select it. */
export interface StoredEventRow {
  readonly position: bigint;
  readonly entity_sequence: bigint;
  readonly recorded_at: bigint;
  readonly envelope: string;
}

/** In its current version, or as it was stored where the catalogue has no way there: its `schemaVersion` says which. */
export function fromStoredRow(row: StoredEventRow): EncodedRecordedEvent {
  const event = JSON.parse(row.envelope) as EventEnvelope;
  return currentOrStored(
    { event, json: row.envelope },
    {
      position: toPosition(Number(row.position)),
      entitySequence: Number(row.entity_sequence),
      recordedAt: Number(row.recorded_at),
    },
  );
}

/** One event that a newer process recorded must not make a whole page unreadable. */
function currentOrStored(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
  try {
    return currentRecordedEvent(envelope, recording);
  } catch (error) {
    if (error instanceof CatalogueError) return recordEnvelope(envelope, recording);
    throw error;
  }
}
