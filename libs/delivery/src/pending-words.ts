import type { CursorPlace, ResetReason } from '@sluice/event-log';
import type { DeliveryItem, EndReason } from './subscription';

/** What a subscriber is to be told besides events. */
export class PendingWords {
  /** The position to tell while the subscriber does not know of the reset yet, and after it was cut. */
  heldPosition: CursorPlace | undefined;
  private resetItem: Extract<DeliveryItem, { kind: 'reset' }> | undefined;
  private caughtUpItem: Extract<DeliveryItem, { kind: 'caught_up' }> | undefined;
  private endReason: EndReason | undefined;

  /** Before anything else. Of two that were not taken the graver reason counts: in another numbering nothing holds. */
  reset(reason: ResetReason, at: CursorPlace): void {
    const isGraver = this.resetItem?.reason === 'epoch_changed';
    this.resetItem = { kind: 'reset', reason: isGraver ? 'epoch_changed' : reason, at };
    if (this.caughtUpItem) this.caughtUp(at);
  }

  caughtUp(at: CursorPlace): void {
    this.caughtUpItem = { kind: 'caught_up', at };
  }

  /** After anything else. */
  ended(reason: EndReason): void {
    this.endReason = reason;
  }

  /** Nothing but the end. */
  drop(): void {
    this.resetItem = undefined;
    this.caughtUpItem = undefined;
  }

  /** What comes before the events that are queued. */
  takeFirst(): DeliveryItem | undefined {
    const item = this.resetItem ?? this.caughtUpItem;
    if (this.resetItem) this.heldPosition = this.resetItem = undefined;
    else this.caughtUpItem = undefined;
    return item;
  }

  takeEnd(at: CursorPlace): DeliveryItem | undefined {
    const reason = this.endReason;
    this.endReason = undefined;
    return reason && { kind: 'end', reason, at };
  }
}
