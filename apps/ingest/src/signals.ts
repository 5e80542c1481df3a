import type { SluiceError } from '@sluice/event-log';
import type { MetricsRegistry, ServiceLogger } from '@sluice/service-runtime';
import { STORED_OUTCOMES, type StoredOutcome } from './store-events';

/** One request, as the log names it: the event it is about, or how many. */
export interface RequestFacts {
  readonly requestId: string;
  readonly eventIds: readonly string[];
}

/** Everything that ingest tells its operators, beyond what every service does. */
export interface IngestSignals {
  /** Events answered, by what the answer promised. */
  stored(events: number, outcome: StoredOutcome): void;
  appendTook(durationMs: number): void;
  projectionTook(durationMs: number): void;
  /** The answer to a request whose events the durable log has. */
  answered(request: RequestFacts, outcome: StoredOutcome): void;
  /** A request that was valid and was not stored, or that nobody can tell of. */
  failed(request: RequestFacts, error: SluiceError): void;
}

/** Statuses that an operator is told of: what the caller did wrong is its own affair. */
const TELLING_STATUSES: ReadonlySet<number> = new Set([409, 503]);

export function createIngestSignals(metrics: MetricsRegistry, logger: ServiceLogger): IngestSignals {
  const events = metrics.counter({
    name: 'sluice_ingest_events_total',
    help: 'Events acknowledged: in the log alone (log), readable (projected), not readable in time (pending), or stored before and not kept any more (not_kept).',
    labels: ['outcome'],
    values: { outcome: STORED_OUTCOMES },
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
    answered(request, outcome) {
      if (outcome === 'pending') logger.warn('stored, but not readable in time', fieldsOf(request));
      else if (logger.isEnabled('debug')) logger.debug('stored', fieldsOf(request));
    },
    failed(request, { code, status }) {
      if (TELLING_STATUSES.has(status)) logger.warn('not acknowledged', { ...fieldsOf(request), code });
    },
  };
}

function fieldsOf({ requestId, eventIds }: RequestFacts) {
  const [eventId] = eventIds;
  return eventIds.length === 1 ? { requestId, eventId } : { requestId, count: eventIds.length };
}
