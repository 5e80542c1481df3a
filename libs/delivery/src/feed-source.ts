import {
  BEFORE_FIRST,
  SluiceError,
  toPosition,
  type CursorPlace,
  type DeliveryFollower,
  type Head,
  type RecordedRun,
} from '@sluice/event-log';
import type { EncodedRecordedEvent, Epoch, Position } from '@sluice/event-schema';
import { BackOff, FreshRead } from './background';
import { FeedEvent } from './feed-event';
import { RemovedPlace, type FeedSlot } from './feed-slot';
import type { FeedSourceOptions } from './feed-source-options';
import { PendingEvents } from './pending-events';
import { TailWatch, type WatchedTail } from './tail-watch';

/**
 * Makes one contiguous sequence of events out of a delivery log that may lose, repeat and reorder, and a read model that
 * has everything. Runs are the fast way; what they leave out is read from the read model: at once when a later event
 * shows the gap, and within `tailCheckMs` when nothing does. Only the read model says which epoch is valid.
 */
export class FeedSource implements WatchedTail {
  private epoch: Epoch | undefined;
  private head: Position = BEFORE_FIRST;
  /** The highest position heard of; above the head while the feed lags. */
  private known: Position = BEFORE_FIRST;
  brought: Position = BEFORE_FIRST;
  /** Up to here events are read from the read model unless runs bring them first. */
  private fillTo: Position = BEFORE_FIRST;
  private readonly pending: PendingEvents;
  private readonly headRead: FreshRead<Head>;
  /** Rises when what was read before is not to be used any more. */
  private generation = 0;
  private follower: DeliveryFollower | undefined;
  running = true;
  private ready = false;
  private filling = false;
  private turnRequested = false;
  private sliceEvents = 0;
  private sliceBytes = 0;

  constructor(private readonly options: FeedSourceOptions) {
    const { limits, reader } = options;
    this.pending = new PendingEvents(limits.pendingEvents, limits.pendingBytes);
    this.headRead = new FreshRead(async () => {
      const head = await reader.head();
      this.heard(head);
      return head;
    });
  }

  /**
   * Resolves when the sequence has reached the head of the read model; reading up to there is repeated until it succeeds.
   * @throws SluiceError `read_model_unavailable` when the head cannot be read.
   * A delivery log that cannot be reached is followed later.
   */
  async start(): Promise<void> {
    // Followed first: a run that is published after the head was read must not be missed.
    const following = await this.follow();
    try {
      await this.refresh();
    } catch (error) {
      await this.follower?.stop();
      this.follower = undefined;
      this.pending.clear();
      throw error;
    }
    // The sequence begins a little before the head: wait until it has come there.
    await this.options.tasks.settled();
    this.ready = true;
    if (!following) this.options.tasks.run(() => this.followLater());
    this.options.tasks.run(() => new TailWatch(this, this.options).run());
  }

  async stop(): Promise<void> {
    this.running = false;
    this.pending.clear();
    await this.follower?.stop();
  }

  get started(): boolean {
    return this.ready;
  }

  /** The last event of the sequence so far. */
  get place(): CursorPlace {
    if (this.epoch === undefined) throw new SluiceError('read_model_unavailable', 'The feed has not started yet');
    return { epoch: this.epoch, position: this.head };
  }

  get currentEpoch(): Epoch | undefined {
    return this.epoch;
  }

  /** The head alone, for use on every event. */
  get position(): Position {
    return this.head;
  }

  get knownPosition(): Position {
    return this.known;
  }

  get followsDeliveryLog(): boolean {
    return this.follower !== undefined;
  }

  get pendingEvents(): number {
    return this.pending.size;
  }

  /** The head of the read model, read after this call. A new epoch takes effect before it resolves. */
  refresh(): Promise<Head> {
    return this.headRead.read();
  }

  private heard({ epoch, position }: Head): void {
    if (!this.running) return;
    if (epoch === this.epoch) {
      this.known = toPosition(Math.max(this.known, position));
      return;
    }
    const warmUpEvents = this.epoch === undefined ? this.options.limits.warmUpEvents : 0;
    this.epoch = epoch;
    this.head = toPosition(Math.max(BEFORE_FIRST, position - warmUpEvents));
    this.known = this.fillTo = position;
    this.brought = BEFORE_FIRST;
    this.pending.removeWhere((event) => event.epoch !== epoch || event.position <= this.head);
    this.options.restarted();
    this.drain();
  }

  private async follow(): Promise<boolean> {
    try {
      const { deliveryLog, onFault } = this.options;
      const follower = await deliveryLog.follow({
        onRun: (run) => this.onRun(run),
        onForgotten: () => this.forget(),
        onFault,
      });
      if (this.running) this.follower = follower;
      else await follower.stop();
      return true;
    } catch (error) {
      this.options.onFault(error);
      return false;
    }
  }

  private async followLater(): Promise<void> {
    const backOff = new BackOff(this.options.limits);
    do await this.options.pauses.pause(backOff.next());
    while (this.running && !(await this.follow()));
    // What the delivery log forgot until now, it was not told.
    this.forget();
  }

  private onRun(run: RecordedRun): void {
    if (!this.running) return;
    if (this.epoch !== undefined && run.epoch !== this.epoch) {
      // Either a late run of a former epoch or the first one of the next: the read model decides.
      this.options.tasks.run(async () => void (await this.refresh()));
      return;
    }
    for (const encoded of run.events) this.receive(encoded, run.epoch);
    this.drain();
  }

  /** Drops what is held; what was to be published of it is read again. */
  private forget(): void {
    if (!this.running) return;
    this.generation++;
    this.pending.clear();
    this.fillTo = toPosition(Math.max(this.fillTo, this.known));
    this.options.forgotten();
    this.drain();
  }

  private receive(encoded: EncodedRecordedEvent, epoch: Epoch): void {
    const { position } = encoded.event;
    this.brought = toPosition(Math.max(this.brought, position));
    if (position <= this.head) return;
    const event = new FeedEvent(encoded, epoch);
    if (position === this.head + 1 && this.epoch && this.pending.size === 0 && this.mayPublish()) {
      this.publish(event);
    } else if (!this.pending.offer(event)) {
      this.fillTo = toPosition(Math.max(this.fillTo, position));
    }
    this.known = toPosition(Math.max(this.known, position));
  }

  private mayPublish(): boolean {
    const { limits } = this.options;
    return this.sliceEvents < limits.sliceEvents && this.sliceBytes < limits.sliceBytes;
  }

  private publish(event: FeedSlot): void {
    this.head = event.position;
    this.sliceEvents++;
    this.sliceBytes += event.bytes;
    if (!this.turnRequested) {
      this.turnRequested = true;
      setImmediate(() => this.nextSlice());
    }
    this.options.accept(event);
  }

  private nextSlice(): void {
    this.options.metrics.published(this.sliceEvents);
    this.turnRequested = false;
    this.sliceEvents = 0;
    this.sliceBytes = 0;
    this.drain();
  }

  private get nextIsPending(): boolean {
    return this.pending.has(this.head + 1);
  }

  /** Publishes what follows the head, as far as this slice goes; what is missing is then read. */
  private drain(): void {
    if (!this.running || this.epoch === undefined) return;
    while (this.nextIsPending && this.mayPublish()) {
      const event = this.pending.take(this.head + 1);
      if (event) this.publish(event);
    }
    if (this.nextIsPending || this.filling) return;
    const behindGap = this.pending.range();
    if (behindGap) this.fillTo = toPosition(Math.max(this.fillTo, behindGap.highest.position));
    if (this.head < this.fillTo) this.options.tasks.run(() => this.fill());
  }

  fillUpTo(position: Position): void {
    this.fillTo = toPosition(Math.max(this.fillTo, position));
    if (!this.filling) this.options.tasks.run(() => this.fill());
  }

  /** Reads page after page until the feed is where it should be. One at a time. */
  private async fill(): Promise<void> {
    const { limits, pauses, onFault } = this.options;
    const backOff = new BackOff(limits);
    this.filling = true;
    try {
      while (this.running && this.head < this.fillTo) {
        try {
          await this.fillPage();
          backOff.reset();
        } catch (error) {
          onFault(error);
          await pauses.pause(backOff.next());
        }
      }
    } finally {
      this.filling = false;
    }
    this.drain();
  }

  private async fillPage(): Promise<void> {
    const { reader, limits, metrics } = this.options;
    const { epoch, head: after, generation } = this;
    const lowest = this.pending.range()?.lowest.position ?? Infinity;
    const upTo = toPosition(Math.min(this.fillTo, lowest - 1));
    if (upTo > after) {
      const { gapPageEvents: limit, gapPageBytes: maxBytes } = limits;
      const range = await reader.readAll({ after, upTo, limit, maxBytes });
      // Asked after the page, so that a page of another numbering is never taken for one of this.
      const { position } = await this.refresh();
      if (epoch === undefined || this.epoch !== epoch || this.generation !== generation || !this.running) return;
      if (range.reached === after && position <= this.head) return this.forgetBeyond(position);
      if (range.reached === after && this.head === after) throw missing(after + 1);
      const isMissed = (slot: FeedSlot) => slot.position > this.head && !this.pending.has(slot.position);
      const missed = range.events.map((encoded) => new FeedEvent(encoded, epoch)).filter(isMissed);
      metrics.gapFilled(missed.length);
      const places = range.removed.map((removed) => new RemovedPlace(removed, epoch)).filter(isMissed);
      for (const slot of [...missed, ...places]) this.pending.add(slot);
    }
    this.drain();
    while (this.running && this.nextIsPending) await new Promise<void>((resolve) => setImmediate(resolve));
  }

  /** Positions were announced that the read model does not have: it is the one that is right. */
  private forgetBeyond(position: Position): void {
    this.pending.clear();
    this.known = toPosition(Math.max(this.head, position));
    this.fillTo = this.head;
  }
}

function missing(position: number): SluiceError {
  return new SluiceError('read_model_unavailable', `The read model has no event at position ${position} yet`);
}
