import { toSessionPayload, type EventData } from '@sluice/event-schema';
import type { SessionEventRecord } from './session-events';

/** A row of the projection and the data of its recorded event, as it is shown. */
export interface StoredSessionEvent {
  readonly position: number;
  readonly id: string;
  readonly type: string;
  readonly processedAtMs: number | null;
  readonly data: EventData;
}

/** The event as it is shown: without our notes, and processed when the row says. */
export function sessionEventRecord(stored: StoredSessionEvent): SessionEventRecord {
  const { position, id, type, processedAtMs, data } = stored;
  const payload = toSessionPayload(data);
  const processedAt = processedAtMs === null ? null : new Date(processedAtMs).toISOString();
  const isShownRight = payload['processed_at'] === processedAt;
  return {
    position,
    id,
    type,
    processedAtMs,
    payload: isShownRight ? payload : { ...payload, processed_at: processedAt },
  };
}
