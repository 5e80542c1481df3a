import type { FeedEvent } from './feed-event';

/** Events that wait for one subscriber, first in, first out. */
export class EventQueue {
  private events: FeedEvent[] = [];
  private taken = 0;
  private waitingBytes = 0;

  constructor(
    private readonly maxEvents: number,
    readonly maxBytes: number,
  ) {}

  get length(): number {
    return this.events.length - this.taken;
  }

  get bytes(): number {
    return this.waitingBytes;
  }

  get oldest(): FeedEvent | undefined {
    return this.events[this.taken];
  }

  /** Takes an event, or says which bound it would exceed; one event may wait whatever its size. */
  offer(event: FeedEvent): 'events' | 'bytes' | undefined {
    if (this.length >= this.maxEvents) return 'events';
    if (this.length > 0 && this.waitingBytes + event.bytes > this.maxBytes) return 'bytes';
    this.push(event);
    return undefined;
  }

  /** Takes an event regardless of the bounds: of a page, which has its own. */
  push(event: FeedEvent): void {
    this.events.push(event);
    this.waitingBytes += event.bytes;
  }

  /** Up to so many events and bytes, but at least one event when there is one. */
  take(maxEvents: number, maxBytes: number): FeedEvent[] {
    if (this.taken === 0 && this.events.length <= maxEvents && this.waitingBytes <= maxBytes) return this.takeAll();
    const first = this.taken;
    const end = Math.min(this.events.length, first + maxEvents);
    let bytes = 0;
    while (this.taken < end) {
      const next = this.events[this.taken]?.bytes ?? 0;
      if (this.taken > first && bytes + next > maxBytes) break;
      bytes += next;
      this.taken++;
    }
    const batch = this.events.slice(first, this.taken);
    this.waitingBytes -= bytes;
    if (this.taken === this.events.length) this.clear();
    else if (this.taken > this.events.length / 2) {
      this.events = this.events.slice(this.taken);
      this.taken = 0;
    }
    return batch;
  }

  clear(): void {
    this.events = [];
    this.taken = 0;
    this.waitingBytes = 0;
  }

  private takeAll(): FeedEvent[] {
    const { events } = this;
    this.clear();
    return events;
  }
}
