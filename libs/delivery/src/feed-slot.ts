import type { RemovedEvent } from '@sluice/event-log';
import type { Epoch, Position } from '@sluice/event-schema';
import type { FeedEvent } from './feed-event';

/** The place of an event that was removed before this process had it. Nobody is shown it, and some may have to be told. */
export class RemovedPlace {
  readonly position: Position;
  readonly bytes = 0;

  constructor(
    readonly removed: RemovedEvent,
    readonly epoch: Epoch,
  ) {
    this.position = removed.position;
  }

  /** Up to where events of its workspace and family are gone, for those who are to be told; undefined where it was erased. */
  get floor(): Position | undefined {
    const { floor } = this.removed;
    return floor >= this.position ? floor : undefined;
  }
}

/** What is at one position of the feed. */
export type FeedSlot = FeedEvent | RemovedPlace;
