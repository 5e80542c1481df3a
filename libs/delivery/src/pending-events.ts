import type { FeedSlot } from './feed-slot';

/** Events that cannot be published yet, and places of removed ones, by position. */
export class PendingEvents {
  private readonly events = new Map<number, FeedSlot>();
  private bytes = 0;

  constructor(
    private readonly maxEvents: number,
    private readonly maxBytes: number,
  ) {}

  get size(): number {
    return this.events.size;
  }

  has(position: number): boolean {
    return this.events.has(position);
  }

  /** False when it is full: the event is not kept. */
  offer(event: FeedSlot): boolean {
    if (this.events.has(event.position)) return true;
    if (this.events.size >= this.maxEvents || this.bytes + event.bytes > this.maxBytes) return false;
    this.add(event);
    return true;
  }

  /** Adds regardless of the bound: for the one page of a gap fill. */
  add(event: FeedSlot): void {
    if (this.events.has(event.position)) return;
    this.events.set(event.position, event);
    this.bytes += event.bytes;
  }

  take(position: number): FeedSlot | undefined {
    const event = this.events.get(position);
    if (event) this.remove(event);
    return event;
  }

  removeWhere(condition: (event: FeedSlot) => boolean): void {
    for (const event of this.events.values()) if (condition(event)) this.remove(event);
  }

  /** The lowest and the highest position, when there is any. */
  range(): { lowest: FeedSlot; highest: FeedSlot } | undefined {
    let lowest: FeedSlot | undefined;
    let highest: FeedSlot | undefined;
    for (const event of this.events.values()) {
      if (!lowest || event.position < lowest.position) lowest = event;
      if (!highest || event.position > highest.position) highest = event;
    }
    return lowest && highest && { lowest, highest };
  }

  clear(): void {
    this.events.clear();
    this.bytes = 0;
  }

  private remove(event: FeedSlot): void {
    this.events.delete(event.position);
    this.bytes -= event.bytes;
  }
}
