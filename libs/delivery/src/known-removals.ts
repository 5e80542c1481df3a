import { BEFORE_FIRST, mayMatch, type EventFilter } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { RemovedPlace } from './feed-slot';

/** Tells what a subscription has missed because it is not kept any more from what was gone before it began. */
export class KnownRemovals {
  /** What was removed up to here it need not be told. */
  private knownFloor: Position;

  /** @param isUnbegun it begins at what is kept, whatever that is; `head` is what the feed has shown by then */
  constructor(
    private readonly filter: EventFilter,
    private isUnbegun: boolean,
    head: Position,
  ) {
    this.knownFloor = isUnbegun ? head : BEFORE_FIRST;
  }

  /** It has seen something, or looked for it. */
  began(): void {
    this.isUnbegun = false;
  }

  /** In another numbering nothing is known. */
  restart(): void {
    this.knownFloor = BEFORE_FIRST;
    this.isUnbegun = false;
  }

  /** Whether something is missing on a page with this floor, which begins after a position. */
  areOnPage(floor: Position, after: Position): boolean {
    if (this.isUnbegun) this.knownFloor = floor;
    this.isUnbegun = false;
    return floor > after && floor > this.knownFloor;
  }

  /** Up to where something is gone, if it is to be told of this place, having seen what is up to a position. */
  lostAt({ position, floor, removed }: RemovedPlace, seen: Position): Position | undefined {
    if (floor === undefined || floor <= this.knownFloor || position <= seen) return undefined;
    return mayMatch(this.filter, removed.workspaceId, removed.family) ? floor : undefined;
  }
}
