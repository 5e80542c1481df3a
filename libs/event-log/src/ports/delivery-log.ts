import type { EncodedRecordedEvent, Epoch } from '@sluice/event-schema';

/** Recorded events with contiguous positions, in position order, at least one. */
export interface RecordedRun {
  readonly epoch: Epoch;
  readonly events: readonly EncodedRecordedEvent[];
}

export interface FollowDeliveryOptions {
  /** Called for each run, in the order of publication. Synchronous, so that nothing piles up in front of it. */
  onRun(run: RecordedRun): void;
  /**
   * What followers hold of runs that were published before is to be dropped; what they need of it they read again. Also told to
   * who was away and may have missed it.
   */
  onForgotten?(): void;
  /** Told of faults that the follower survives by itself; runs may be missing after one. */
  onFault?(error: unknown): void;
}

export interface DeliveryFollower {
  /** Idempotent. */
  stop(): Promise<void>;
}

/**
 * The delivery log: how services hear of what was recorded, within milliseconds.
 *
 * It may lose everything, deliver twice, and start anywhere after `follow` resolved: followers count positions and read
 * what is missing from the read model. What it must do is deliver runs in the order of publication while it is healthy.
 */
export interface DeliveryLog {
  /** Resolves when the run is handed over. @throws SluiceError `delivery_log_unavailable` */
  publish(run: RecordedRun): Promise<void>;
  /**
   * Follows from now on. Runs published after this resolved are delivered.
   * @throws SluiceError `delivery_log_unavailable` when the log cannot be reached, after a bounded wait of seconds
   */
  follow(options: FollowDeliveryOptions): Promise<DeliveryFollower>;
  /**
   * Forgets all runs that were published before, and tells every follower that follows now, or comes back, in the order of
   * publication. Runs that followers have not been given yet may be missing to them. Can be repeated.
   * @throws SluiceError `delivery_log_unavailable`
   */
  forget(): Promise<void>;
  /** @throws SluiceError `delivery_log_unavailable` */
  check(): Promise<void>;
  close(): Promise<void>;
}
