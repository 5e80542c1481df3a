import {
  compileFilter,
  matchesNothing,
  toPosition,
  type CursorPlace,
  type EventFilter,
  type ResetReason,
} from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { OverflowReason } from './delivery-metrics';
import { EventQueue } from './event-queue';
import type { FeedEvent } from './feed-event';
import type { RemovedPlace } from './feed-slot';
import type { RingReader } from './ring-turns';
import { StallWatch } from './stall-watch';
import {
  itemsOf,
  type Beginning,
  type DeliveryItem,
  type EndReason,
  type SubscribeOptions,
  type Subscription,
} from './subscription';
import { SubscriberPlace } from './subscriber-place';
import type { SubscriptionHost } from './subscription-host';
import { WaitingPage } from './waiting-page';
import { WakeSignal } from './wake-queue';

/**
 * The state machine of one subscription. `scanned` is the place up to which everything matching has been queued or
 * handed over. Where some of what comes after it is not kept any more, it goes on from there with a reset, in any phase.
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
  private scanned: Position;
  private readonly queue: EventQueue;
  private readonly matches: ReturnType<typeof compileFilter>;
  private readonly place: SubscriberPlace;
  private readonly stall: StallWatch;
  private readingPage = false;
  /** Rises when a page that is being read is not to be used any more. */
  private generation = 0;
  private hasBeenLive = false;
  /** The page that was read last, until all of it was taken. */
  private readonly page: WaitingPage;
  private readonly readable: WakeSignal;
  private resolveEnded: (reason: EndReason) => void = () => undefined;

  constructor(
    private readonly host: SubscriptionHost,
    options: SubscribeOptions,
    beginning: Beginning,
  ) {
    const { at, reset } = beginning;
    const { limits } = host;
    this.filter = options.filter;
    this.caller = options.caller ?? '';
    this.page = new WaitingPage(host, this.caller);
    this.matches = compileFilter(options.filter);
    const { maxQueuedEvents = limits.queuedEvents, maxQueuedBytes = limits.queuedBytes } = options;
    this.queue = new EventQueue(maxQueuedEvents, maxQueuedBytes);
    this.stall = new StallWatch(options.stallTimeoutMs ?? limits.stallTimeoutMs);
    this.place = new SubscriberPlace(host, options, beginning);
    this.readable = new WakeSignal(host.wakes, (error) => {
      host.onFault(error);
      this.end('closed');
    });
    this.startedAt = this.place.at(at.position);
    this.reset = reset;
    this.scanned = at.position;
    // There is nothing to look for up to the head.
    if (matchesNothing(options.filter)) this.scanned = toPosition(Math.max(at.position, host.ring.head));
    this.ended = new Promise((resolve) => (this.resolveEnded = resolve));
    if (this.scanned >= host.ring.head) this.goLive();
  }

  get position(): CursorPlace {
    return this.place.told(this.handedOver);
  }

  private get handedOver(): Position {
    return this.queue.oldest ? toPosition(this.queue.oldest.position - 1) : this.reached;
  }

  /** While live nothing is noted per event: all up to the head has been offered. It may have begun beyond the head. */
  private get reached(): Position {
    const { head } = this.host.ring;
    return this.phase === 'live' && head > this.scanned ? head : this.scanned;
  }

  take(mostEvents = Infinity): DeliveryItem | undefined {
    // Who can take no events leaves them waiting.
    if (mostEvents > 0) this.stall.taken();
    const item = this.nextItem(Math.min(mostEvents, this.host.limits.batchEvents));
    this.readable.taken(item !== undefined);
    if (item?.kind === 'events') this.host.metrics.delivered(item.events.length);
    return item;
  }

  private nextItem(most: number): DeliveryItem | undefined {
    const word = this.place.words.takeFirst();
    if (word) return word;
    if (most === 0 && this.queue.length > 0) return undefined;
    if (this.queue.length > 0) return { kind: 'events', events: this.queue.take(most, this.host.limits.batchBytes) };
    if (this.phase === 'backfilling') {
      const events = this.catchUp(most);
      return events.length > 0 ? { kind: 'events', events } : this.place.words.takeFirst();
    }
    return this.phase === 'ended' ? this.place.words.takeEnd(this.position) : undefined;
  }

  /** One step of the backfill. What it returns is handed over at once. */
  private catchUp(most: number): readonly FeedEvent[] {
    if (this.readingPage) return [];
    this.page.note(0);
    if (!this.host.ring.covers(this.scanned)) {
      if (most > 0) this.host.runTask(() => this.readPage());
      return [];
    }
    const events = most > 0 ? this.lookThroughRing(most) : [];
    if (this.phase === 'backfilling' && this.behind === 0) this.goLive();
    return events;
  }

  /** Until something matches, as far as may be looked in this turn. What is left to look at has a turn of its own. */
  private lookThroughRing(most: number): readonly FeedEvent[] {
    const { ring, ringTurns, limits } = this.host;
    const isLost = (place: RemovedPlace) => this.place.removals.isLost(place, this.scanned);
    const wanted = { matches: this.matches, isLost, maxEvents: most, maxBytes: limits.batchBytes };
    while (this.behind > 0) {
      const allowance = ringTurns.allowance(this);
      if (allowance === 0) break;
      const { events, reached, lost } = ring.find(this.scanned, allowance, wanted);
      ringTurns.looked(this, reached - this.scanned);
      if (this.tellsFound(events[0], reached)) return [];
      this.scanned = reached;
      if (events.length > 0) return this.place.ofAll(events);
      if (lost && this.passes(lost)) return [];
    }
    return [];
  }

  /** Whether something is told that was lost. What comes after it is found again when that was taken. */
  private tellsFound(next: FeedEvent | undefined, reached: Position): boolean {
    const goesOn = this.place.tellFound(next, reached, reached === this.host.ring.head);
    this.scanned = goesOn ?? this.scanned;
    return goesOn !== undefined;
  }

  private passes(lost: RemovedPlace): boolean {
    this.place.find(lost, this.scanned);
    return this.tellsFound(undefined, (this.scanned = lost.position));
  }

  /** For its turns in the ring. */
  get behind(): number {
    return this.phase === 'backfilling' ? Math.max(0, this.host.ring.head - this.scanned) : 0;
  }

  turnCame(): void {
    this.readable.raiseNow();
  }

  private async readPage(): Promise<void> {
    const { generation } = this;
    const isWanted = () => this.phase === 'backfilling' && this.generation === generation;
    const { filter, caller, scanned: after, host, place } = this;
    const maxBytes = Math.min(host.limits.pageBytes, this.queue.maxBytes);
    this.readingPage = true;
    try {
      const page = await host.readPage(
        { filter, caller, after, upTo: host.ring.head, maxBytes, ...place.known },
        isWanted,
      );
      if (!isWanted()) return;
      place.lookAt(page, after);
      for (const encoded of page.events) this.queue.push(place.own(encoded));
      this.scanned = page.reached;
      this.page.note(this.queue.bytes);
    } catch {
      if (isWanted()) this.end('failed');
    } finally {
      this.readingPage = false;
      this.readable.raise();
    }
  }

  private goLive(): void {
    this.phase = 'live';
    if (!this.hasBeenLive) this.place.words.caughtUp(this.place.at(this.scanned));
    this.hasBeenLive = true;
    this.place.removals.reached(this.scanned);
    this.host.wentLive(this);
  }

  /** For the feed: an event that may match, in position order, each once, while the subscription is live. */
  offer(event: FeedEvent): void {
    if (event.position <= this.scanned || !this.matches(event.event)) return;
    const overflow = this.queue.offer(event);
    if (overflow) this.overflow(overflow);
    else this.readable.raise();
  }

  /** For the feed, while the subscription is live: the place of an event that is gone, as `offer` for one that is there. */
  pass(place: RemovedPlace): void {
    if (!this.place.removals.isLost(place, this.scanned)) return;
    // The head of the ring is at the place already, and nobody has seen what was there.
    this.goBack(this.queue.length > 0 ? this.handedOver : toPosition(place.position - 1));
  }

  /** For the feed, from time to time: cuts a subscriber that leaves its events waiting. */
  checkStall(nowMs: number): void {
    if (this.stall.isStalled(nowMs, this.queue.length > 0)) this.overflow('stalled');
  }

  /** For the feed, when the numbering changed: what is queued belongs to the former one, and is forgotten. */
  restart(reason: ResetReason, at: CursorPlace): void {
    this.place.hold(this.handedOver);
    this.queue.clear();
    this.page.note(0);
    this.scanned = at.position;
    this.place.restart(reason, at);
    // That is the head, which the ring begins from.
    if (this.phase === 'backfilling') this.goLive();
    this.readable.raise();
  }

  close(): void {
    this.end('closed');
  }

  /**
   * For the feed: what is queued, or being read, may not be what the read model has by now. It is dropped and read again; where
   * the subscription has ended, whoever resumes it reads it.
   */
  rewind(): void {
    this.generation++;
    if (this.queue.length > 0) this.goBack(this.handedOver);
  }

  /** What was not taken is looked for again. */
  private goBack(scanned: Position): void {
    this.scanned = scanned;
    this.queue.clear();
    this.page.note(0);
    if (this.phase === 'live') {
      this.phase = 'backfilling';
      this.host.wentBack(this);
    }
    this.readable.raise();
  }

  private overflow(reason: OverflowReason): void {
    this.host.metrics.queueOverflow(reason);
    this.end('slow_subscriber');
  }

  /** For the feed and for itself. What is queued can still be taken, unless the subscriber is slow or gone. */
  end(reason: EndReason): void {
    if (this.phase === 'ended') return;
    if (reason === 'slow_subscriber' || reason === 'closed') {
      this.place.words.heldPosition = this.position;
      this.place.words.drop();
      this.queue.clear();
    }
    this.scanned = this.reached;
    this.phase = 'ended';
    this.place.words.ended(reason);
    this.page.note(0);
    this.host.left(this);
    this.host.metrics.ended(reason);
    this.resolveEnded(reason);
    this.readable.raise();
  }

  onReadable(listener: () => void): void {
    this.readable.listen(listener);
  }

  [Symbol.asyncIterator](): AsyncGenerator<DeliveryItem, void, undefined> {
    return itemsOf(this, () => this.phase === 'ended');
  }
}
