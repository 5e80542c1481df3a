import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** Everything that the projector tells its operators. */
export interface ProjectorSignals {
  recorded(events: number, duplicates: number, durationMs: number): void;
  parked(reason: string): void;
  published(events: number): void;
  leaseChanged(held: boolean): void;
  fault(what: 'follow' | 'record' | 'publish', error: unknown): void;
  lag(events: number, seconds: number): void;
  parkedTotal(records: number): void;
}

export function createProjectorSignals(metrics: MetricsRegistry, logger: Logger): ProjectorSignals {
  const recordedTotal = metrics.counter('sluice_projector_recorded_events_total', 'Events recorded in the read model.');
  const duplicatesTotal = metrics.counter('sluice_projector_duplicate_events_total', 'Events skipped because their id is known.');
  const recordSeconds = metrics.histogram('sluice_projector_record_duration_seconds', 'Time of one recording transaction.');
  const parkedTotal = metrics.counter('sluice_projector_parked_records_total', 'Records parked, by reason.', ['reason']);
  const parkedGauge = metrics.gauge('sluice_parked_records', 'Parked records that were not replayed.');
  const publishedTotal = metrics.counter('sluice_projector_published_events_total', 'Events published to the delivery log.');
  const leaseHeld = metrics.gauge('sluice_projector_publisher_active', '1 while this process is the publisher.');
  const faultsTotal = metrics.counter('sluice_projector_faults_total', 'Faults that the projector survived, by place.', ['place']);
  const lagEvents = metrics.gauge('sluice_projection_lag_events', 'Records in the durable log that are not projected yet.');
  const lagSeconds = metrics.gauge('sluice_projection_lag_seconds', 'Age of the newest projected record while there is a lag.');
  return {
    recorded(events, duplicates, durationMs) {
      recordedTotal.inc(events);
      if (duplicates > 0) duplicatesTotal.inc(duplicates);
      recordSeconds.observe(durationMs / 1000);
    },
    parked(reason) {
      parkedTotal.inc({ reason });
      logger.warn('parked a record', { reason });
    },
    published: (events) => publishedTotal.inc(events),
    leaseChanged(held) {
      leaseHeld.set(held ? 1 : 0);
      logger.info(held ? 'became the publisher' : 'is no longer the publisher', {});
    },
    fault(place, error) {
      faultsTotal.inc({ place });
      logger.warn('survived a fault', { place, error });
    },
    lag(events, seconds) {
      lagEvents.set(events);
      lagSeconds.set(seconds);
    },
    parkedTotal: (records) => parkedGauge.set(records),
  };
}
