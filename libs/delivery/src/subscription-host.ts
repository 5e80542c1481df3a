import type { DeliveryMetrics } from './delivery-metrics';
import type { FeedSubscription } from './feed-subscription';
import type { HotRing } from './hot-ring';
import type { DeliveryLimits } from './limits';
import type { BackfillPage, PageRange } from './page-reader';
import type { RingTurns } from './ring-turns';
import type { WakeQueue } from './wake-queue';

/** What a subscription needs of its feed. */
export interface SubscriptionHost {
  readonly limits: DeliveryLimits;
  readonly metrics: DeliveryMetrics;
  /** Its head is the head of the feed. */
  readonly ring: HotRing;
  readonly wakes: WakeQueue;
  readonly ringTurns: RingTurns;
  readPage(range: PageRange, isWanted: () => boolean): Promise<BackfillPage>;
  /** Tells that so many bytes of pages wait for the subscribers of a caller more than before, or less. */
  addWaitingPageBytes(caller: string, bytes: number): void;
  runTask(work: () => Promise<void>): void;
  /** From now on the subscription is offered every event that may concern it. */
  wentLive(subscription: FeedSubscription): void;
  /** It is not offered anything any more, until it is live again. */
  wentBack(subscription: FeedSubscription): void;
  left(subscription: FeedSubscription): void;
  onFault(error: unknown): void;
}
