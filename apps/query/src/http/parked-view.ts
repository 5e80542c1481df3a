import { isUtf8 } from 'node:buffer';
import type { StoredParkedRecord } from '@sluice/event-log';

/** Most bytes of a parked value that are shown. */
export const MAX_SHOWN_BYTES = 4096;

/** A parked record as it is shown. Times are in milliseconds since 1970. */
export interface ParkedView {
  readonly parkedId: number;
  readonly lane: number;
  readonly index: number;
  readonly reason: string;
  readonly detail: string;
  readonly parkedAt: number;
  readonly replayedAt?: number | undefined;
  readonly workspaceId?: number | undefined;
  readonly eventId?: string | undefined;
  /** The beginning of the value: text when all of it is UTF-8, else base64. */
  readonly value: string;
  readonly encoding: 'utf8' | 'base64';
  readonly valueBytes: number;
  readonly truncated: boolean;
}

export function parkedView(record: StoredParkedRecord): ParkedView {
  const { parkedId, lane, index, reason, detail, parkedAt, replayedAt, workspaceId, eventId, value } = record;
  const encoding = isUtf8(value) ? 'utf8' : 'base64';
  const shown = value.subarray(0, MAX_SHOWN_BYTES);
  return {
    parkedId,
    lane,
    index,
    reason,
    detail,
    parkedAt,
    replayedAt,
    workspaceId,
    eventId,
    // A stream decoder keeps a character back that is cut at the end.
    value:
      encoding === 'utf8' ? new TextDecoder().decode(shown, { stream: true }) : Buffer.from(shown).toString('base64'),
    encoding,
    valueBytes: value.byteLength,
    truncated: value.byteLength > shown.byteLength,
  };
}
