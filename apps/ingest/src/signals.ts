import type { MetricsRegistry } from '@sluice/service-runtime';

/** Everything that ingest tells its operators, beyond what every service does. */
export interface IngestSignals {
  /** Events answered, by what the answer promised. */
  stored(events: number, outcome: 'log' | 'projected' | 'pending'): void;
  appendTook(durationMs: number): void;
  projectionTook(durationMs: number): void;
}

export function createIngestSignals(metrics: MetricsRegistry): IngestSignals {
  const events = metrics.counter({
    name: 'sluice_ingest_events_total',
    help: 'Events acknowledged: in the log alone (log), readable (projected), or not readable in time (pending).',
    labels: ['outcome'],
  });
  const append = metrics.histogram({
    name: 'sluice_ingest_append_duration_seconds',
    help: 'Time until the durable log had the events of a request.',
  });
  const projection = metrics.histogram({
    name: 'sluice_ingest_projection_wait_seconds',
    help: 'Time from there until they were readable.',
  });
  return {
    stored: (count, outcome) => events.inc({ outcome }, count),
    appendTook: (durationMs) => append.observe(durationMs / 1000),
    projectionTook: (durationMs) => projection.observe(durationMs / 1000),
  };
}
