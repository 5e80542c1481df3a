import type { Epoch, Position } from '@sluice/event-schema';

/** The place before the first event. */
export const BEFORE_FIRST = 0 as Position;

/** @throws RangeError for anything but a whole number from 0 on. */
export function toPosition(value: number): Position {
  if (!Number.isSafeInteger(value) || value < 0) throw new RangeError(`${value} is no position`);
  return value as Position;
}

/** The position that is `steps` later. */
export function advance(position: Position, steps: number): Position {
  return toPosition(position + steps);
}

/** @throws RangeError for anything but eight hexadecimal digits. */
export function toEpoch(text: string): Epoch {
  if (!/^[0-9a-f]{8}$/.test(text)) throw new RangeError(`"${text}" is no epoch`);
  return text as Epoch;
}

/** A numbering never used before: random, so that a read model made from nothing does not honour old cursors. */
export function newEpoch(): Epoch {
  const [value = 0] = crypto.getRandomValues(new Uint32Array(1));
  return toEpoch(value.toString(16).padStart(8, '0'));
}
