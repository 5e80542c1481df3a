import type { DeliveryLog, RecordedEventReader } from '@sluice/event-log';
import type { Pauses, Tasks } from './background';
import type { DeliveryMetrics } from './delivery-metrics';
import type { FeedSlot } from './feed-slot';
import type { DeliveryLimits } from './limits';

/** What a FeedSource works with, and whom it tells. */
export interface FeedSourceOptions {
  readonly deliveryLog: DeliveryLog;
  readonly reader: RecordedEventReader;
  readonly limits: DeliveryLimits;
  readonly metrics: DeliveryMetrics;
  readonly tasks: Tasks;
  readonly pauses: Pauses;
  /** Called for each position, in order, without a hole. The head is there already. */
  accept(slot: FeedSlot): void;
  /** The numbering changed: the sequence goes on after the new head. */
  restarted(): void;
  /** What was accepted so far may not be what the read model has by now. */
  forgotten(): void;
  onFault(error: unknown): void;
}
