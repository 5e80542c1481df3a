import type { EventFeed } from '@sluice/delivery';
import type { RecordedEventReader } from '@sluice/event-log';
import type { RetryPolicy, WebhookStore } from '@sluice/webhook-delivery';
import type { Clock } from '../clock';
import type { WebhookSignals } from '../signals';
import type { WebhookSender } from './webhook-sender';

/** What the delivery to endpoints needs. */
export interface RunnerPorts {
  readonly store: WebhookStore;
  readonly feed: Pick<EventFeed, 'subscribe'>;
  readonly reader: Pick<RecordedEventReader, 'findByIds'>;
  readonly sender: WebhookSender;
  readonly policy: RetryPolicy;
  readonly clock: Clock;
  readonly signals: WebhookSignals;
}
