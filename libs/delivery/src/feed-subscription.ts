import {
  compileFilter,
  matchesNothing,
  toPosition,
  type CursorPlace,
  type EventFilter,
  type EventPredicate,
  type ResetReason,
} from '@sluice/event-log';
import type { Epoch, Position } from '@sluice/event-schema';
import type { OverflowReason } from './delivery-metrics';
import { EventQueue } from './event-queue';
import { FeedEvent } from './feed-event';
import type { RingReader } from './ring-turns';
import type { Beginning, DeliveryItem, EndReason, SubscribeOptions, Subscription } from './subscription';
import type { SubscriptionHost } from './subscription-host';
import { WakeSignal } from './wake-queue';

/**
 * The state machine of one subscription. `scanned` is the place up to which everything matching has been queued or
 * handed over.
 *
 * ```
 * backfilling   while events after `scanned` have left the ring: read a page from the read model, queue it,
 *               and read the next one only when that was taken;
 *               while they are in the ring: hand them over from there, so many in each turn; nothing is queued
 *      │ cutover: `scanned` has reached the head of the feed. No event can come between this and
 *      ▼          being offered events, as both happen in one synchronous step
 *    live       every event that concerns it is offered; matching ones are queued
 *      │
 *      ▼
 *    ended      offered nothing any more
 * ```
 */
export class FeedSubscription implements Subscription, RingReader {
  readonly filter: EventFilter;
  readonly caller: string;
  readonly startedAt: CursorPlace;
  readonly reset: Subscription['reset'];
  readonly ended: Promise<EndReason>;
  private phase: 'backfilling' | 'live' | 'ended' = 'backfilling';
  private epoch: Epoch;
  private scanned: Position;
  private readonly queue = new EventQueue();
  private readonly matches: EventPredicate;
  private readonly bounds: Required<Pick<SubscribeOptions, 'maxQueuedEvents' | 'maxQueuedBytes' | 'stallTimeoutMs'>>;

  private readingPage = false;
  /** Size of the page that was read last, until all of it was taken. */
  private pageBytes = 0;

  /** Items to be handed over before and after what is queued. */
  private resetItem: Extract<DeliveryItem, { kind: 'reset' }> | undefined;
  private caughtUpItem: Extract<DeliveryItem, { kind: 'caught_up' }> | undefined;
  private endReason: EndReason | undefined;
  /** The position to tell while the subscriber does not know of the reset yet, and after it was cut. */
  private heldPosition: CursorPlace | undefined;

  private readonly readable: WakeSignal;
  private takenSinceCheck = false;
  private stalledSinceMs: number | undefined;
  private resolveEnded: (reason: EndReason) => void = () => undefined;
  private readonly signal: AbortSignal | undefined;
  private readonly onAbort = () => this.end('closed');

  constructor(
    private readonly host: SubscriptionHost,
    options: SubscribeOptions,
    { at, reset }: Beginning,
  ) {
    const { limits } = host;
    this.filter = options.filter;
    this.caller = options.caller ?? '';
    this.matches = compileFilter(options.filter);
    this.bounds = {
      maxQueuedEvents: options.maxQueuedEvents ?? limits.queuedEvents,
      maxQueuedBytes: options.maxQueuedBytes ?? limits.queuedBytes,
      stallTimeoutMs: options.stallTimeoutMs ?? limits.stallTimeoutMs,
    };
    this.readable = new WakeSignal(host.wakes, (error) => this.listenerThrew(error));
    this.startedAt = at;
    this.reset = reset;
    this.epoch = at.epoch;
    this.scanned = at.position;
    // There is nothing to look for up to the head.
    if (matchesNothing(options.filter)) this.scanned = toPosition(Math.max(at.position, host.ring.head));
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    this.signal = options.signal;
    this.signal?.addEventListener('abort', this.onAbort);
    if (this.scanned >= host.ring.head) this.goLive();
  }

  get position(): CursorPlace {
    return this.heldPosition ?? { epoch: this.epoch, position: this.handedOver };
  }

  private get handedOver(): Position {
    const { oldest } = this.queue;
    return oldest ? toPosition(oldest.position - 1) : this.reached;
  }

  /** While live nothing is noted per event: all up to the head has been offered. It may have begun beyond the head. */
  private get reached(): Position {
    const { head } = this.host.ring;
    return this.phase === 'live' && head > this.scanned ? head : this.scanned;
  }

  take(mostEvents = Infinity): DeliveryItem | undefined {
    // Who can take no events leaves them waiting.
    this.takenSinceCheck ||= mostEvents > 0;
    const item = this.nextItem(Math.min(mostEvents, this.host.limits.batchEvents));
    this.readable.taken(item !== undefined);
    if (item?.kind === 'events') this.host.metrics.delivered(item.events.length);
    return item;
  }

  private nextItem(most: number): DeliveryItem | undefined {
    if (this.resetItem) return this.takeReset(this.resetItem);
    if (this.caughtUpItem) return this.takeCaughtUp();
    if (most === 0 && this.queue.length > 0) return undefined;
    if (this.queue.length > 0) return { kind: 'events', events: this.queue.take(most, this.host.limits.batchBytes) };
    if (this.phase === 'backfilling') {
      const events = this.catchUp(most);
      return events.length > 0 ? { kind: 'events', events } : this.takeCaughtUp();
    }
    return this.phase === 'ended' ? this.takeEnd() : undefined;
  }

  /** One step of the backfill. What it returns is handed over at once. */
  private catchUp(most: number): readonly FeedEvent[] {
    if (this.readingPage) return [];
    this.notePage(0);
    if (!this.host.ring.covers(this.scanned)) {
      if (most > 0) this.host.runTask(() => this.readPage());
      return [];
    }
    const events = most > 0 ? this.lookThroughRing(most) : [];
    if (this.behind === 0) this.goLive();
    return events;
  }

  /** Until something matches, as far as may be looked in this turn. What is left to look at has a turn of its own. */
  private lookThroughRing(most: number): readonly FeedEvent[] {
    const { ring, ringTurns, limits } = this.host;
    const wanted = { matches: this.matches, maxEvents: most, maxBytes: limits.batchBytes };
    while (this.behind > 0) {
      const allowance = ringTurns.allowance(this);
      if (allowance === 0) break;
      const { events, reached } = ring.find(this.scanned, allowance, wanted);
      ringTurns.looked(this, reached - this.scanned);
      this.scanned = reached;
      if (events.length > 0) return events;
    }
    return [];
  }

  /** For its turns in the ring. */
  get behind(): number {
    return this.phase === 'backfilling' ? Math.max(0, this.host.ring.head - this.scanned) : 0;
  }

  turnCame(): void {
    this.readable.raiseNow();
  }

  private async readPage(): Promise<void> {
    const isWanted = () => this.phase === 'backfilling';
    const { filter, caller, scanned: after, host } = this;
    const maxBytes = Math.min(host.limits.pageBytes, this.bounds.maxQueuedBytes);
    this.readingPage = true;
    try {
      const page = await host.readPage({ filter, caller, after, upTo: host.ring.head, maxBytes }, isWanted);
      if (!isWanted()) return;
      for (const encoded of page.events) this.queue.push(new FeedEvent(encoded, this.epoch));
      this.scanned = page.reached;
      this.notePage(this.queue.bytes);
    } catch {
      if (isWanted()) this.end('failed');
    } finally {
      this.readingPage = false;
      this.readable.raise();
    }
  }

  private notePage(bytes: number): void {
    this.host.addWaitingPageBytes(this.caller, bytes - this.pageBytes);
    this.pageBytes = bytes;
  }

  private goLive(): void {
    this.phase = 'live';
    this.caughtUpItem = { kind: 'caught_up', at: { epoch: this.epoch, position: this.scanned } };
    this.host.wentLive(this);
  }

  /** For the feed: an event that may match, in position order, each once, while the subscription is live. */
  offer(event: FeedEvent): void {
    if (event.position <= this.scanned || !this.matches(event.event)) return;
    const { queue, bounds } = this;
    if (queue.length >= bounds.maxQueuedEvents) return this.overflow('events');
    if (queue.length > 0 && queue.bytes + event.bytes > bounds.maxQueuedBytes) return this.overflow('bytes');
    queue.push(event);
    this.readable.raise();
  }

  /** For the feed, from time to time: cuts a subscriber that leaves its events waiting. */
  checkStall(nowMs: number): void {
    if (this.takenSinceCheck || this.queue.length === 0) {
      this.takenSinceCheck = false;
      this.stalledSinceMs = undefined;
      return;
    }
    this.stalledSinceMs ??= nowMs;
    if (nowMs - this.stalledSinceMs >= this.bounds.stallTimeoutMs) this.overflow('stalled');
  }

  /** For the feed: the numbering changed. What is queued belongs to the former one and is forgotten. */
  restart(reason: ResetReason, at: CursorPlace): void {
    this.heldPosition ??= this.position;
    this.queue.clear();
    this.notePage(0);
    this.epoch = at.epoch;
    this.scanned = at.position;
    this.resetItem = { kind: 'reset', reason, at };
    if (this.caughtUpItem) this.caughtUpItem = { kind: 'caught_up', at };
    if (this.phase === 'backfilling') this.goLive();
    this.host.metrics.reset(reason);
    this.readable.raise();
  }

  close(): void {
    this.end('closed');
  }

  private overflow(reason: OverflowReason): void {
    this.host.metrics.queueOverflow(reason);
    this.end('slow_subscriber');
  }

  /** For the feed and for itself. What is queued can still be taken, unless the subscriber is slow or gone. */
  end(reason: EndReason): void {
    if (this.phase === 'ended') return;
    if (reason === 'slow_subscriber' || reason === 'closed') {
      this.heldPosition = this.position;
      this.queue.clear();
      this.resetItem = undefined;
      this.caughtUpItem = undefined;
    }
    this.scanned = this.reached;
    this.phase = 'ended';
    this.endReason = reason;
    this.notePage(0);
    this.signal?.removeEventListener('abort', this.onAbort);
    this.host.left(this);
    this.host.metrics.ended(reason);
    this.resolveEnded(reason);
    this.readable.raise();
  }

  private takeReset(item: DeliveryItem): DeliveryItem {
    this.resetItem = undefined;
    this.heldPosition = undefined;
    return item;
  }

  private takeCaughtUp(): DeliveryItem | undefined {
    const item = this.caughtUpItem;
    this.caughtUpItem = undefined;
    return item;
  }

  private takeEnd(): DeliveryItem | undefined {
    const reason = this.endReason;
    this.endReason = undefined;
    return reason && { kind: 'end', reason, at: this.position };
  }

  onReadable(listener: () => void): void {
    this.readable.listen(listener);
  }

  private listenerThrew(error: unknown): void {
    this.host.onFault(error);
    this.end('closed');
  }

  async *[Symbol.asyncIterator](): AsyncGenerator<DeliveryItem, void, undefined> {
    try {
      for (;;) {
        const item = this.take();
        if (item) yield item;
        else if (this.phase === 'ended') return;
        else await new Promise<void>((resolve) => this.onReadable(resolve));
        if (item?.kind === 'end') return;
      }
    } finally {
      this.close();
    }
  }
}
