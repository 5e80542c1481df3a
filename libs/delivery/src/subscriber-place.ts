import { toPosition, type CursorPlace, type ResetReason } from '@sluice/event-log';
import type { EncodedRecordedEvent, Epoch, Position } from '@sluice/event-schema';
import { FeedEvent } from './feed-event';
import type { RemovedPlace } from './feed-slot';
import { KnownRemovals, type Loss } from './known-removals';
import type { BackfillPage } from './page-reader';
import { PendingWords } from './pending-words';
import type { Beginning, SubscribeOptions } from './subscription';
import type { SubscriptionHost } from './subscription-host';

/** The numbering that a subscriber is in, what it knows of removals, and what it is to be told of both. */
export class SubscriberPlace {
  readonly words = new PendingWords();
  readonly removals: KnownRemovals;
  private epoch: Epoch;
  private readonly metrics: SubscriptionHost['metrics'];

  constructor({ metrics }: SubscriptionHost, { filter }: SubscribeOptions, { at, known }: Beginning) {
    this.epoch = at.epoch;
    this.metrics = metrics;
    this.removals = new KnownRemovals(filter, known ?? { revision: at.revision ?? 0 });
  }

  at(position: Position): CursorPlace {
    return { epoch: this.epoch, position, ...this.removals.at(position) };
  }

  get known(): { readonly knownRevision: number } {
    return { knownRevision: this.removals.knownRevision };
  }

  /** Where it is, as far as it knows, when everything up to here was handed over. */
  told(handedOver: Position): CursorPlace {
    return this.words.heldPosition ?? this.at(handedOver);
  }

  hold(handedOver: Position): void {
    this.words.heldPosition ??= this.at(handedOver);
  }

  /** An event that was read for it. */
  own(encoded: EncodedRecordedEvent): FeedEvent {
    return new FeedEvent(encoded, this.epoch, this.removals.at(encoded.event.position).revision);
  }

  /** Events of all, as they are for it. */
  ofAll(events: readonly FeedEvent[]): readonly FeedEvent[] {
    return events.map((event) => event.knowing(this.removals.at(event.position).revision));
  }

  /** Tells what is lost of what comes after a position, which it has seen, and is not on the page that follows it. */
  lookAt(page: BackfillPage, after: Position): void {
    const loss = this.removals.lostOn(page, after);
    if (loss === undefined) return;
    this.hold(after);
    this.tell(loss, page.events[0]?.event.position, page.reached);
  }

  /** It goes on in another numbering. */
  restart(reason: ResetReason, at: CursorPlace): void {
    this.epoch = at.epoch;
    this.removals.restart();
    this.words.reset(reason, at);
    this.metrics.reset(reason);
  }

  /** Something is lost. It is told when it is known where that ends, and until then the subscriber is where it was. */
  find(place: RemovedPlace, handedOver: Position): void {
    this.hold(handedOver);
    this.removals.find(place);
  }

  /**
   * Tells what was found, if it is known where it ends: at the next event, or at the floor.
   * @param isLast there is no more to look at
   * @returns where it goes on
   */
  tellFound(next: FeedEvent | undefined, reached: Position, isLast: boolean): Position | undefined {
    const loss = this.removals.foundBefore(next?.position, reached, isLast);
    return loss && this.tell(loss, next?.position, reached);
  }

  /** Nothing that matches is kept before `next`, or up to `reached` where there is none. @returns where it goes on */
  private tell(loss: Loss, next: Position | undefined, reached: Position): Position {
    const upTo = toPosition(Math.min(loss.floor, next === undefined ? reached : next - 1));
    this.removals.know(loss);
    this.words.reset('no_longer_kept', this.at(upTo));
    this.metrics.reset('no_longer_kept');
    return upTo;
  }
}
