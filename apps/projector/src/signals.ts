import { PARK_REASONS, type ParkedRecord } from '@sluice/event-log';
import { createErasureSignals, type ErasureSignals } from './erasure/erasure-signals';
import { createRebuildSignals, type RebuildSignals } from './rebuild/rebuild-signals';
import { createRetentionSignals, type RetentionSignals } from './retention/retention-signals';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

const FAULT_PLACES = ['follow', 'publish', 'lag', 'rebuild', 'erasure', 'retention'] as const;
const LOST = ['checkpoint', 'position'] as const;

/** Everything that the projector tells its operators. */
export interface ProjectorSignals extends RebuildSignals, ErasureSignals, RetentionSignals {
  recorded(events: number, duplicates: number, durationMs: number): void;
  parked(record: ParkedRecord): void;
  published(events: number): void;
  leaseChanged(held: boolean): void;
  /** The read model lacks what this process had stored there: checkpoints, or events at positions that were given out. */
  foundLost(what: (typeof LOST)[number]): void;
  fault(what: (typeof FAULT_PLACES)[number], error: unknown): void;
  lag(events: number, seconds: number): void;
  parkedTotal(records: number): void;
}

export function createProjectorSignals(metrics: MetricsRegistry, logger: Logger): ProjectorSignals {
  const recordedTotal = metrics.counter({
    name: 'sluice_projector_recorded_events_total',
    help: 'Events recorded in the read model.',
  });
  const duplicatesTotal = metrics.counter({
    name: 'sluice_projector_duplicate_events_total',
    help: 'Events skipped because their id is known.',
  });
  const recordSeconds = metrics.histogram({
    name: 'sluice_projector_record_duration_seconds',
    help: 'Time of one recording transaction.',
  });
  const parkedTotal = metrics.counter({
    name: 'sluice_projector_parked_records_total',
    help: 'Records parked, by reason.',
    labels: ['reason'],
    values: { reason: PARK_REASONS },
  });
  const parkedGauge = metrics.gauge({ name: 'sluice_parked_records', help: 'Parked records that were not replayed.' });
  const publishedTotal = metrics.counter({
    name: 'sluice_projector_published_events_total',
    help: 'Events published to the delivery log.',
  });
  const leaseHeld = metrics.gauge({
    name: 'sluice_projector_publisher_active',
    help: '1 while this process is the publisher.',
  });
  const faultsTotal = metrics.counter({
    name: 'sluice_projector_faults_total',
    help: 'Faults that the projector survived, by place.',
    labels: ['place'],
    values: { place: FAULT_PLACES },
  });
  const lostTotal = metrics.counter({
    name: 'sluice_projector_lost_commits_total',
    help: 'How often the read model lacked what this process had stored there: a checkpoint (the log was read again), or a position (a new epoch began).',
    labels: ['what'],
    values: { what: LOST },
  });
  const lagEvents = metrics.gauge({
    name: 'sluice_projection_lag_events',
    help: 'Records in the durable log that are not projected yet.',
  });
  const lagSeconds = metrics.gauge({
    name: 'sluice_projection_lag_seconds',
    help: 'Time since the oldest end of the durable log that is not projected yet was seen; 0 without a lag.',
  });
  return {
    ...createRebuildSignals(metrics, logger),
    ...createErasureSignals(metrics, logger),
    ...createRetentionSignals(metrics, logger),
    recorded(events, duplicates, durationMs) {
      recordedTotal.inc(events);
      if (duplicates > 0) duplicatesTotal.inc(duplicates);
      recordSeconds.observe(durationMs / 1000);
    },
    parked({ reason, lane, index, workspaceId, eventId }) {
      parkedTotal.inc({ reason });
      logger.warn('parked a record', { reason, lane, index, workspaceId, eventId });
    },
    published: (events) => publishedTotal.inc(events),
    leaseChanged(held) {
      leaseHeld.set(held ? 1 : 0);
      logger.info(held ? 'became the publisher' : 'is no longer the publisher', {});
    },
    foundLost(what) {
      lostTotal.inc({ what });
      if (what === 'position') {
        logger.error(
          'the read model lost events whose positions were given out: a new epoch began, subscribers are reset',
          {},
        );
      }
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
