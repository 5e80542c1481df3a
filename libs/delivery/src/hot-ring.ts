import { advance, type EventPredicate } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { FeedEvent } from './feed-event';

/** What is looked for, and how much of it is enough; the last event found may go beyond the bytes. */
export interface RingSearch {
  readonly matches: EventPredicate;
  readonly maxEvents: number;
  readonly maxBytes: number;
}

/** The newest events, without a hole, bounded by count and by bytes; the oldest give way. */
export class HotRing {
  private readonly slots: (FeedEvent | undefined)[];
  private heldBytes = 0;
  private newest: Position;
  /** The ring holds all events after this one, up to the newest. */
  private heldAfter: Position;

  constructor(
    private readonly maxEvents: number,
    private readonly maxBytes: number,
    head: Position,
  ) {
    this.slots = new Array<FeedEvent | undefined>(maxEvents).fill(undefined);
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

  at(position: number): FeedEvent | undefined {
    const event = this.slots[position % this.maxEvents];
    return event?.position === position ? event : undefined;
  }

  /** Matching events among the `lookAt` ones after `after`, and how far it looked before there were enough of them. */
  find(after: Position, lookAt: number, wanted: RingSearch): { events: FeedEvent[]; reached: Position } {
    const { matches, maxEvents, maxBytes } = wanted;
    const upTo = Math.min(this.newest, after + lookAt);
    const events: FeedEvent[] = [];
    let reached = after;
    let bytes = 0;
    while (reached < upTo && events.length < maxEvents && bytes < maxBytes) {
      const event = this.at(reached + 1);
      if (!event) throw new RangeError(`the ring has lost position ${reached + 1}`);
      reached = event.position;
      if (!matches(event.event)) continue;
      events.push(event);
      bytes += event.bytes;
    }
    return { events, reached };
  }

  /** Takes the event that follows the newest one. */
  push(event: FeedEvent): void {
    if (this.size === this.maxEvents) this.dropOldest();
    this.slots[event.position % this.maxEvents] = event;
    this.newest = event.position;
    this.heldBytes += event.bytes;
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
