import { advance, type EventPredicate } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { FeedEvent } from './feed-event';
import { RemovedPlace, type FeedSlot } from './feed-slot';

/** What is looked for, and how much of it is enough; the last event found may go beyond the bytes. */
export interface RingSearch {
  readonly matches: EventPredicate;
  /** Whether it must be told that there was something at this place; then the search ends before it. */
  isLost(place: RemovedPlace): boolean;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** What was found, and how far was looked. */
export interface RingFind {
  readonly events: FeedEvent[];
  readonly reached: Position;
  /** What the search ended before. */
  readonly lost?: RemovedPlace;
}

/** The newest events, without a hole, bounded by count and by bytes; the oldest give way. */
export class HotRing {
  private readonly slots: (FeedSlot | undefined)[];
  private heldBytes = 0;
  private newest: Position;
  /** The ring holds all events after this one, up to the newest. */
  private heldAfter: Position;

  constructor(
    private readonly maxEvents: number,
    private readonly maxBytes: number,
    head: Position,
  ) {
    this.slots = new Array<FeedSlot | undefined>(maxEvents).fill(undefined);
    this.newest = head;
    this.heldAfter = head;
  }

  /** The newest event's position, whether it is held or not. */
  get head(): Position {
    return this.newest;
  }

  get size(): number {
    return this.newest - this.heldAfter;
  }

  get bytes(): number {
    return this.heldBytes;
  }

  /** Whether all events after `position` are at hand. */
  covers(position: Position): boolean {
    return position >= this.heldAfter;
  }

  at(position: number): FeedSlot | undefined {
    const slot = this.slots[position % this.maxEvents];
    return slot?.position === position ? slot : undefined;
  }

  /** Matching events among the `lookAt` ones after `after`, and how far it looked before there were enough of them. */
  find(after: Position, lookAt: number, wanted: RingSearch): RingFind {
    const { matches, maxEvents, maxBytes } = wanted;
    const upTo = Math.min(this.newest, after + lookAt);
    const events: FeedEvent[] = [];
    let reached = after;
    let bytes = 0;
    while (reached < upTo && events.length < maxEvents && bytes < maxBytes) {
      const slot = this.at(reached + 1);
      if (!slot) throw new RangeError(`the ring has lost position ${reached + 1}`);
      if (slot instanceof RemovedPlace) {
        if (wanted.isLost(slot)) return { events, reached, lost: slot };
        reached = slot.position;
        continue;
      }
      reached = slot.position;
      if (!matches(slot.event)) continue;
      events.push(slot);
      bytes += slot.bytes;
    }
    return { events, reached };
  }

  /** Takes what follows the newest position. */
  push(slot: FeedSlot): void {
    if (this.size === this.maxEvents) this.dropOldest();
    this.slots[slot.position % this.maxEvents] = slot;
    this.newest = slot.position;
    this.heldBytes += slot.bytes;
    while (this.heldBytes > this.maxBytes) this.dropOldest();
  }

  /** Forgets everything; the next event is the one after `head`. */
  restart(head: Position): void {
    this.slots.fill(undefined);
    this.heldBytes = 0;
    this.newest = head;
    this.heldAfter = head;
  }

  private dropOldest(): void {
    this.heldAfter = advance(this.heldAfter, 1);
    const slot = this.heldAfter % this.maxEvents;
    this.heldBytes -= this.slots[slot]?.bytes ?? 0;
    this.slots[slot] = undefined;
  }
}
