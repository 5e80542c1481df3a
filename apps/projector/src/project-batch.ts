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

export interface Candidate {
  readonly record: LogRecord;
  readonly envelope: EncodedEnvelope;
}

/** Records of the log: those that are events, and those that are to be parked. */
export interface DecodedRecords {
  readonly candidates: readonly Candidate[];
  readonly parked: readonly ParkedRecord[];
}

/**
 * Brings one batch of the log into the read model, in one transaction. An event that a projection rejects is parked and
 * the rest recorded, so that it cannot block what comes after it (G7).
 */
export async function projectBatch(
  batch: LogBatch,
  recorder: Pick<EventRecorder, 'record'>,
  signals: ProjectorSignals,
): Promise<RecordOutcome> {
  const startedAt = performance.now();
  return parkingRejected(decodeRecords(batch.records), async ({ candidates, parked }) => {
    const envelopes = candidates.map(({ envelope }) => envelope);
    const outcome = await recorder.record({ envelopes, parked, checkpoints: batch.checkpoints });
    signals.recorded(
      outcome.recorded.length,
      envelopes.length - outcome.recorded.length,
      performance.now() - startedAt,
    );
    for (const record of parked) signals.parked(record);
    return outcome;
  });
}

export function decodeRecords(records: readonly LogRecord[]): DecodedRecords {
  const parked: ParkedRecord[] = [];
  const candidates: Candidate[] = [];
  for (const record of records) {
    const decoded = decodeRecord(record);
    if (decoded.kind === 'envelope') candidates.push({ record, envelope: decoded.envelope });
    else parked.push(decoded.parked);
  }
  return { candidates, parked };
}

/** Attempts it again without what a projection rejected, which is parked. */
export async function parkingRejected<T>(
  decoded: DecodedRecords,
  attempt: (decoded: DecodedRecords) => Promise<T>,
): Promise<T> {
  let { candidates, parked } = decoded;
  // Ends: each further round has at least one candidate less.
  for (;;) {
    try {
      return await attempt({ candidates, parked });
    } catch (error) {
      if (!(error instanceof ProjectionFailed)) throw error;
      const failed = candidates.filter(({ envelope }) => envelope.event.id === error.eventId);
      if (failed.length === 0) throw error;
      candidates = candidates.filter((candidate) => !failed.includes(candidate));
      const detail = String(error.cause);
      parked = [
        ...parked,
        ...failed.map(({ record, envelope }) => parkedRecord(record, 'projection_failed', detail, envelope.event)),
      ];
    }
  }
}
