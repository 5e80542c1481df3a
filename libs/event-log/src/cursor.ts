import type { Epoch, Position } from '@sluice/event-schema';
import { SluiceError } from './errors';
import { toEpoch, toPosition } from './position';

/** Opaque to clients: where they are in the log. The same cursor works at every door. */
export type Cursor = string & { readonly __brand: 'Cursor' };

/** What a cursor says: everything up to and including `position` of that numbering has been seen. */
export interface CursorPlace {
  readonly epoch: Epoch;
  readonly position: Position;
  /**
   * It is known that some of what comes after the position may be missing: all that retention had removed by this revision
   * (see RecordedPage). Absent: nothing is.
   */
  readonly revision?: number;
}

/** Where a subscription starts: after a cursor, before everything, or after everything. */
export type StartPlace = CursorPlace | 'earliest' | 'latest';

/** First digit: version of the cursor's own form. Only letters, digits and dashes, so it fits an SSE id, a URL and a TCP line. */
const CURSOR = /^1-([0-9a-f]{8})-(0|[1-9a-z][0-9a-z]{0,10})(?:-([1-9a-z][0-9a-z]{0,10}))?$/;

export function encodeCursor({ epoch, position, revision }: CursorPlace): Cursor {
  const known = revision ? `-${revision.toString(36)}` : '';
  return `1-${epoch}-${position.toString(36)}${known}` as Cursor;
}

/** @throws SluiceError `invalid_cursor` for text that this system never gave out. */
export function decodeCursor(text: string): CursorPlace {
  const match = CURSOR.exec(text);
  const position = match?.[2] === undefined ? Number.NaN : Number.parseInt(match[2], 36);
  const revision = match?.[3] === undefined ? undefined : Number.parseInt(match[3], 36);
  if (!match?.[1] || !Number.isSafeInteger(position) || !Number.isSafeInteger(revision ?? 0)) {
    throw new SluiceError('invalid_cursor', 'The cursor is not one that this system gave out', { where: 'cursor' });
  }
  return { epoch: toEpoch(match[1]), position: toPosition(position), ...(revision !== undefined && { revision }) };
}

/** Reads what a client sent as cursor: `earliest`, `latest` or a cursor. */
export function parseStartPlace(text: string): StartPlace {
  return text === 'earliest' || text === 'latest' ? text : decodeCursor(text);
}

export const RESET_REASONS = ['epoch_changed', 'future_cursor', 'no_longer_kept'] as const;

/** Why a cursor cannot be honoured; the subscriber is told by an explicit reset. */
export type ResetReason = (typeof RESET_REASONS)[number];
