import { OVERFLOW_REASONS, type DeliveryMetrics, type EventFeed } from '@sluice/delivery';
import { RESET_REASONS } from '@sluice/event-log';
import type { MetricsRegistry } from '@sluice/service-runtime';

/** The delivery layer's counters as Prometheus metrics. */
export function createFeedMetrics(metrics: MetricsRegistry): DeliveryMetrics {
  const published = metrics.counter({
    name: 'sluice_feed_events_total',
    help: 'Events that entered the feed of this process.',
  });
  const gapFilled = metrics.counter({
    name: 'sluice_feed_gap_filled_events_total',
    help: 'Events that the delivery log did not bring and the read model did.',
  });
  const delivered = metrics.counter({ name: 'sluice_delivered_events_total', help: 'Events handed to subscribers.' });
  const subscribed = metrics.counter({ name: 'sluice_subscriptions_total', help: 'Subscriptions that began.' });
  const ended = metrics.counter({
    name: 'sluice_subscriptions_ended_total',
    help: 'Subscriptions that ended, by reason.',
    labels: ['reason'],
  });
  const overflows = metrics.counter({
    name: 'sluice_subscriber_queue_overflows_total',
    help: 'Subscriptions ended because their queue was full or nothing was taken, by reason.',
    labels: ['reason'],
    values: { reason: OVERFLOW_REASONS },
  });
  const resets = metrics.counter({
    name: 'sluice_resets_total',
    help: 'Cursors that could not be honoured, by reason.',
    labels: ['reason'],
    values: { reason: RESET_REASONS },
  });
  const pages = metrics.counter({
    name: 'sluice_backfill_pages_total',
    help: 'Pages read from the read model for backfills.',
  });
  const lookUps = metrics.counter({
    name: 'sluice_write_look_ups_total',
    help: 'Look-ups in the read model for events that the feed did not show in time.',
  });
  return {
    published: (events) => published.inc(events),
    gapFilled: (events) => gapFilled.inc(events),
    delivered: (events) => delivered.inc(events),
    subscribed: () => subscribed.inc(),
    ended: (reason) => ended.inc({ reason }),
    queueOverflow: (reason) => overflows.inc({ reason }),
    reset: (reason) => resets.inc({ reason }),
    pageRead: () => pages.inc(),
    lookedUp: () => lookUps.inc(),
  };
}

/** Gauges of what the feed holds, read when they are scraped. */
export function observeFeed(metrics: MetricsRegistry, feed: EventFeed): void {
  metrics.gauge({
    name: 'sluice_subscribers',
    help: 'Open subscriptions.',
    collect: (gauge) => gauge.set(feed.counts.subscriptions),
  });
  metrics.gauge({
    name: 'sluice_feed_lag_events',
    help: 'Recorded events that the feed has not shown yet.',
    collect: (gauge) => gauge.set(feed.lagEvents),
  });
  metrics.gauge({
    name: 'sluice_feed_ring_events',
    help: 'Events kept in memory for recent cursors.',
    collect: (gauge) => gauge.set(feed.counts.ringEvents),
  });
  metrics.gauge({
    name: 'sluice_expected_writes',
    help: 'Acknowledgements that wait for their events to be readable.',
    collect: (gauge) => gauge.set(feed.counts.expectedIds),
  });
}
