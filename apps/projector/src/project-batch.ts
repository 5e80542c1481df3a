import {
  ProjectionFailed,
  type EventRecorder,
  type LogBatch,
  type LogRecord,
  type ParkedRecord,
  type RecordOutcome,
} from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { decodeRecord, parkedRecord } from './decode-record';
import type { ProjectorSignals } from './signals';

interface Candidate {
  readonly record: LogRecord;
  readonly envelope: EncodedEnvelope;
}

/**
 * Brings one batch of the log into the read model, in one transaction. An event that a projection rejects is parked and
 * the rest recorded, so that it cannot block what comes after it (G7).
 */
export async function projectBatch(
  batch: LogBatch,
  recorder: EventRecorder,
  signals: ProjectorSignals,
): Promise<RecordOutcome> {
  const parked: ParkedRecord[] = [];
  let candidates: Candidate[] = [];
  for (const record of batch.records) {
    const decoded = decodeRecord(record);
    if (decoded.kind === 'envelope') candidates.push({ record, envelope: decoded.envelope });
    else parked.push(decoded.parked);
  }
  const startedAt = performance.now();
  // Ends: each further round has at least one candidate less.
  for (;;) {
    try {
      const envelopes = candidates.map(({ envelope }) => envelope);
      const outcome = await recorder.record({ envelopes, parked, checkpoints: batch.checkpoints });
      signals.recorded(
        outcome.recorded.length,
        envelopes.length - outcome.recorded.length,
        performance.now() - startedAt,
      );
      for (const record of parked) signals.parked(record);
      return outcome;
    } catch (error) {
      if (!(error instanceof ProjectionFailed)) throw error;
      const failed = candidates.filter(({ envelope }) => envelope.event.id === error.eventId);
      if (failed.length === 0) throw error;
      candidates = candidates.filter((candidate) => !failed.includes(candidate));
      const detail = String(error.cause);
      parked.push(
        ...failed.map(({ record, envelope }) => parkedRecord(record, 'projection_failed', detail, envelope.event)),
      );
    }
  }
}
