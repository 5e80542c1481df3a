import {
  BEFORE_FIRST,
  SluiceError,
  type CursorPlace,
  type DeliveryLog,
  type EventFilter,
  type RecordedEventReader,
  type StartPlace,
} from '@sluice/event-log';
import type { Epoch } from '@sluice/event-schema';
import { Pauses, Tasks } from './background';
import { NO_METRICS, type DeliveryMetrics } from './delivery-metrics';
import { Expectations, type Expectation } from './expectations';
import { RemovedPlace, type FeedSlot } from './feed-slot';
import { FeedSource } from './feed-source';
import { FeedSubscription } from './feed-subscription';
import { GoneReader } from './gone';
import { HotRing } from './hot-ring';
import { NO_LOSS, type Loss } from './known-removals';
import { DELIVERY_LIMITS, type DeliveryLimits } from './limits';
import { PageReader } from './page-reader';
import { RingTurns } from './ring-turns';
import type { Beginning, SubscribeOptions, Subscription } from './subscription';
import type { SubscriptionHost } from './subscription-host';
import { SubscriptionIndex } from './subscription-index';
import { WakeQueue } from './wake-queue';

export interface EventFeedOptions {
  readonly deliveryLog: DeliveryLog;
  /** Must have everything that the delivery log announces: events are recorded before they are published. */
  readonly reader: RecordedEventReader;
  /** Other bounds than `DELIVERY_LIMITS`. */
  readonly limits?: Partial<DeliveryLimits>;
  readonly metrics?: DeliveryMetrics;
  /** Told of faults that the feed survives by itself. */
  onFault?(error: unknown): void;
}

/** What retention had removed in a numbering, of what a filter may match. */
interface Gone extends Loss {
  readonly epoch: Epoch;
}

/** What the feed holds at this moment. */
export interface FeedCounts {
  readonly subscriptions: number;
  readonly liveSubscriptions: number;
  readonly expectedIds: number;
  readonly ringEvents: number;
  readonly ringBytes: number;
  /** Events that wait behind a gap or for their turn. */
  readonly pendingEvents: number;
  readonly pageReads: number;
  /** Bytes of pages that their subscribers have not taken yet. */
  readonly waitingPageBytes: number;
}

/**
 * Everything that is recorded, as one contiguous sequence, for all subscribers of one process. One feed per process.
 *
 * - Whatever the delivery log does (lose, repeat, reorder, be away), each event is shown once, in position order; what it
 *   does not bring is read from the read model, at the cost of latency only.
 * - All that a feed holds is bounded by its limits, whatever subscribers do.
 */
export class EventFeed {
  private readonly limits: DeliveryLimits;
  private readonly metrics: DeliveryMetrics;
  private readonly onFault: (error: unknown) => void;
  private readonly pauses = new Pauses();
  private readonly tasks: Tasks;
  private readonly source: FeedSource;
  private readonly pages: PageReader;
  private readonly gone: GoneReader;
  private readonly ring: HotRing;
  private readonly index = new SubscriptionIndex();
  private readonly subscriptions = new Set<FeedSubscription>();
  private readonly expectations: Expectations;
  private readonly host: SubscriptionHost;
  private starting: Promise<void> | undefined;
  private stopping: Promise<void> | undefined;

  constructor({ deliveryLog, reader, limits: overrides, metrics = NO_METRICS, onFault }: EventFeedOptions) {
    const limits = { ...DELIVERY_LIMITS, ...overrides };
    const { pauses } = this;
    this.limits = limits;
    this.metrics = metrics;
    this.onFault = (error) => onFault?.(error);
    this.tasks = new Tasks(this.onFault);
    const shared = { reader, limits, metrics, pauses, tasks: this.tasks, onFault: this.onFault };
    this.source = new FeedSource({
      ...shared,
      deliveryLog,
      accept: (slot) => this.accept(slot),
      restarted: () => this.restarted(),
      forgotten: () => this.forgotten(),
    });
    this.pages = new PageReader({ ...shared, refresh: () => this.source.refresh() });
    this.gone = new GoneReader(this.pages, pauses, limits.earliestReadMs);
    this.ring = new HotRing(limits.ringEvents, limits.ringBytes, BEFORE_FIRST);
    this.expectations = new Expectations(shared);
    this.host = this.hostSubscriptions();
  }

  /**
   * Begins at the head of the read model. Resolves when subscriptions can be made; after a rejection it may be called again.
   * @throws SluiceError `read_model_unavailable`
   */
  start(): Promise<void> {
    this.assertOpen();
    this.starting ??= this.begin().catch((error: unknown) => {
      this.starting = undefined;
      throw error;
    });
    return this.starting;
  }

  private async begin(): Promise<void> {
    await this.source.start();
    this.tasks.run(() => this.checkStalls());
  }

  /** Ends all subscriptions as `shutting_down`; resolves when nothing more is asked of the reader. Idempotent. */
  stop(): Promise<void> {
    this.stopping ??= this.end();
    return this.stopping;
  }

  private async end(): Promise<void> {
    for (const subscription of this.subscriptions) subscription.end('shutting_down');
    this.expectations.stop();
    const stopped = this.source.stop();
    this.pauses.end();
    await stopped;
    await this.tasks.settled();
  }

  /**
   * A subscription from `start` on. A cursor that this feed does not know is compared with the read model once more, as
   * another process may be ahead; if it cannot be honoured then, the subscription begins at the head and says so.
   * @throws SluiceError `overloaded`, `shutting_down`, `read_model_unavailable`, or `invalid_request` for a filter that
   * names too much.
   */
  async subscribe(options: SubscribeOptions): Promise<Subscription> {
    const { filter, start, signal } = options;
    this.assertRoom();
    assertTerms(filter, this.limits.filterTerms);
    if (!this.knows(start)) await this.source.refresh();
    const gone = start === 'earliest' ? await this.readGone(options) : undefined;
    // Others may have come meanwhile.
    this.assertRoom();
    const beginning = this.beginningFor(start, gone);
    const subscription = new FeedSubscription(this.host, options, beginning);
    this.subscriptions.add(subscription);
    this.metrics.subscribed();
    if (beginning.reset) this.metrics.reset(beginning.reset.reason);
    if (signal) closeOnAbort(subscription, signal);
    return subscription;
  }

  /**
   * Waits for events that are about to be appended; to be called before they are.
   * @throws SluiceError `overloaded`
   */
  expect(eventIds: readonly string[]): Expectation {
    return this.expectations.expect(eventIds);
  }

  /** The newest event of the feed. @throws SluiceError `read_model_unavailable` before the start. */
  get head(): CursorPlace {
    return this.source.place;
  }

  /** Recorded events that the feed has heard of and not yet shown. */
  get lagEvents(): number {
    return this.source.knownPosition - this.source.position;
  }

  /** False while only the read model feeds it. A log that is away for a while after it was followed counts as followed. */
  get followsDeliveryLog(): boolean {
    return this.source.followsDeliveryLog;
  }

  get counts(): FeedCounts {
    return {
      subscriptions: this.subscriptions.size,
      liveSubscriptions: this.index.size,
      expectedIds: this.expectations.size,
      ringEvents: this.ring.size,
      ringBytes: this.ring.bytes,
      pendingEvents: this.source.pendingEvents,
      pageReads: this.pages.reading,
      waitingPageBytes: this.pages.waitingBytes,
    };
  }

  private accept(slot: FeedSlot): void {
    this.ring.push(slot);
    if (slot instanceof RemovedPlace) return this.index.pass(slot);
    this.expectations.seen(slot.event);
    this.index.offer(slot);
  }

  private restarted(): void {
    const at = this.source.place;
    for (const subscription of this.subscriptions) subscription.restart('epoch_changed', at);
    this.ring.restart(at.position);
  }

  /** Everybody reads again what they have not handed over yet. */
  private forgotten(): void {
    this.ring.restart(this.ring.head);
    for (const subscription of this.subscriptions) subscription.rewind();
  }

  private knows(start: StartPlace): boolean {
    if (typeof start === 'string') return true;
    const { epoch, position } = this.source.place;
    return start.epoch === epoch && start.position <= position;
  }

  /** Who begins at what is kept knows what is gone by now, wherever it is cut; where that is not known, it is told of it. */
  private async readGone({ filter, caller = '' }: SubscribeOptions): Promise<Gone> {
    const { epoch } = this.source.place;
    const { floor, revision } = await this.gone.read(filter, caller);
    return { epoch, floor, revision };
  }

  private beginningFor(start: StartPlace, gone?: Gone): Beginning {
    const head = this.source.place;
    if (start === 'latest') return { at: head, reset: undefined };
    if (start === 'earliest') {
      // In another numbering nothing is known.
      const known = gone?.epoch === head.epoch ? gone : NO_LOSS;
      return { at: { epoch: head.epoch, position: BEFORE_FIRST }, reset: undefined, known };
    }
    if (start.epoch !== head.epoch) return { at: head, reset: { reason: 'epoch_changed', requested: start } };
    if (start.position > this.source.knownPosition) {
      return { at: head, reset: { reason: 'future_cursor', requested: start } };
    }
    return { at: start, reset: undefined };
  }

  private assertOpen(): void {
    if (this.stopping) throw new SluiceError('shutting_down', 'The service is shutting down');
  }

  private assertRoom(): void {
    this.assertOpen();
    if (!this.source.started) throw new SluiceError('read_model_unavailable', 'The feed has not started yet');
    if (this.subscriptions.size >= this.limits.subscriptions) {
      throw new SluiceError('overloaded', 'Too many subscriptions');
    }
  }

  private async checkStalls(): Promise<void> {
    while (!this.stopping) {
      await this.pauses.pause(this.limits.stallCheckMs);
      const nowMs = performance.now();
      for (const subscription of this.subscriptions) subscription.checkStall(nowMs);
    }
  }

  private hostSubscriptions(): SubscriptionHost {
    const { limits, metrics, ring, pages, index, subscriptions, tasks, onFault } = this;
    return {
      limits,
      metrics,
      ring,
      wakes: new WakeQueue(),
      ringTurns: new RingTurns(limits.ringTurnEvents, limits.leastRingTurnEvents),
      readPage: (range, isWanted) => pages.read(range, isWanted),
      addWaitingPageBytes: (caller, bytes) => pages.addWaiting(caller, bytes),
      runTask: (work) => tasks.run(work),
      wentLive: (subscription) => index.add(subscription),
      wentBack: (subscription) => index.remove(subscription),
      left: (subscription) => {
        index.remove(subscription);
        subscriptions.delete(subscription);
      },
      onFault,
    };
  }
}

function closeOnAbort(subscription: Subscription, signal: AbortSignal): void {
  if (signal.aborted) return subscription.close();
  const close = () => subscription.close();
  signal.addEventListener('abort', close);
  void subscription.ended.then(() => signal.removeEventListener('abort', close));
}

function assertTerms({ workspaceIds, entityIds, entityIdPrefixes }: EventFilter, maxTerms: number): void {
  const where = entityIds ? 'entityIds' : 'entityIdPrefixes';
  if (workspaceIds.length * (entityIds?.length ?? 1) + (entityIdPrefixes?.length ?? 0) > maxTerms) {
    throw new SluiceError('invalid_request', 'The filter names too many entities', { where });
  }
}
