import { BEFORE_FIRST, mayMatch, toPosition, type EventFilter } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { RemovedPlace } from './feed-slot';
import type { BackfillPage } from './page-reader';

/** Removals up to a revision, and the highest position that is gone by them. */
export interface Loss {
  readonly floor: Position;
  readonly revision: number;
}

export const NO_LOSS: Loss = { floor: BEFORE_FIRST, revision: 0 };

/** What a subscription knows of what retention has removed; of the rest it is to be told. */
export class KnownRemovals {
  /** Found and not told yet. */
  private found: Loss | undefined;
  private revision: number;
  /** Beyond this position nothing is missing that it knows of. */
  private floor: number;

  /** @param known the removals that it knows of; how far those go may be open */
  constructor(
    private readonly filter: EventFilter,
    {
      revision,
      floor = revision === 0 ? BEFORE_FIRST : Infinity,
    }: Pick<Loss, 'revision'> & { readonly floor?: number },
  ) {
    this.revision = revision;
    this.floor = floor;
  }

  get knownRevision(): number {
    return this.revision;
  }

  /** What a place at this position has to say of removals. */
  at(position: Position): { revision?: number } {
    return this.revision > 0 && position < this.floor ? { revision: this.revision } : {};
  }

  /** It has seen everything up to here. */
  reached(position: Position): void {
    this.floor = Math.min(this.floor, position);
  }

  /** In another numbering nothing is known. */
  restart(): void {
    this.found = undefined;
    this.revision = 0;
    this.floor = BEFORE_FIRST;
  }

  /** What is lost of what comes after a position, and is not on the page that follows it. */
  lostOn({ floor, lost, revision }: BackfillPage, after: Position): Loss | undefined {
    this.found = undefined;
    this.floor = floor;
    return lost > after ? { floor: lost, revision } : undefined;
  }

  /** Whether it is to be told of this place, having seen what is up to a position. */
  isLost({ position, floor, removed }: RemovedPlace, seen: Position): boolean {
    if (floor === undefined || removed.revision <= this.revision || position <= seen) return false;
    return mayMatch(this.filter, removed.workspaceId, removed.family);
  }

  find(place: RemovedPlace): void {
    this.found = widen(this.found ?? NO_LOSS, place);
  }

  /** What was found, once it is known where it ends: at the first event after it, or at the floor; it may be the last word. */
  foundBefore(next: Position | undefined, reached: Position, isLast: boolean): Loss | undefined {
    if (this.found === undefined) return undefined;
    if (next === undefined && reached < this.found.floor && !isLast) return undefined;
    // Of other families and workspaces its places do not tell how far those removals go.
    this.floor = Infinity;
    return this.found;
  }

  /** It is told. */
  know({ floor, revision }: Loss): void {
    this.found = undefined;
    this.revision = Math.max(this.revision, revision);
    this.floor = Math.max(this.floor, floor);
  }
}

/** A loss with that of one place more; nobody is told of what was erased. */
export function widen({ floor, revision }: Loss, { removed, floor: placeFloor = BEFORE_FIRST }: RemovedPlace): Loss {
  if (placeFloor === BEFORE_FIRST) return { floor, revision };
  return { floor: toPosition(Math.max(floor, placeFloor)), revision: Math.max(revision, removed.revision) };
}
