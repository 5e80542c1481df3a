import type { SlotDocument } from './slot-document';

/** Someone with a limit on how many may hold slots of the key, itself included. */
export interface Claim {
  readonly limit: number;
}

/** Who gets slots. */
export interface Allotment<H extends Claim, W extends Claim> {
  /** How many slots this replica holds then. */
  readonly count: number;
  /** Held slots that the others have taken meanwhile. */
  readonly lost: readonly H[];
  readonly granted: readonly W[];
  readonly refused: readonly W[];
}

/**
 * Allots slots to those of one replica. `secured` of its `held` ones, the oldest, are in the document already and stay.
 * The rest was given without the others, or was dropped by them, and comes next; who waits comes last.
 */
export function allot<H extends Claim, W extends Claim>(
  elsewhere: number,
  secured: number,
  held: readonly H[],
  waiting: readonly W[],
): Allotment<H, W> {
  let count = Math.min(secured, held.length);
  const fits = ({ limit }: Claim) => elsewhere + count < limit && (count++, true);
  const lost = held.slice(count).filter((slot) => !fits(slot));
  const granted: W[] = [];
  const refused: W[] = [];
  for (const each of waiting) (fits(each) ? granted : refused).push(each);
  return { count, lost, granted, refused };
}

/** A document as one replica reads it. */
export interface View {
  /** Slots in the document under this replica's present and former ids. */
  readonly secured: number;
  /** Slots of others, by replica. */
  readonly elsewhere: ReadonlyMap<string, number>;
}

export function viewOf({ held }: SlotDocument, isOwn: (replica: string) => boolean): View {
  const elsewhere = new Map([...held].filter(([replica]) => !isOwn(replica)));
  return { secured: sumOf(held) - sumOf(elsewhere), elsewhere };
}

export function sumOf(held: ReadonlyMap<string, number>): number {
  let sum = 0;
  for (const count of held.values()) sum += count;
  return sum;
}

/** What the document says when this replica holds `count` slots. */
export function withOwn(
  elsewhere: ReadonlyMap<string, number>,
  id: string,
  count: number,
): ReadonlyMap<string, number> {
  return count === 0 ? elsewhere : new Map([...elsewhere, [id, count]]);
}

export function isSameHeld(a: ReadonlyMap<string, number>, b: ReadonlyMap<string, number>): boolean {
  return a.size === b.size && [...a].every(([replica, count]) => b.get(replica) === count);
}
