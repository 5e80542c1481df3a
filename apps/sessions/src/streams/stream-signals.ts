import type { StreamSignals } from '@sluice/event-streams';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';
import type { DeltaOutcome } from './session-previews';

export interface SessionStreamSignals extends StreamSignals {
  /** A delta reached a stream that asked for such. */
  delta(outcome: DeltaOutcome): void;
}

/** What the streams of sessions tell operators. */
export function createStreamSignals(metrics: MetricsRegistry, logger: Logger): SessionStreamSignals {
  const ended = metrics.counter({
    name: 'sluice_session_streams_ended_total',
    help: 'Streams of sessions that ended, by reason.',
    labels: ['reason'],
  });
  const cutOff = metrics.counter({
    name: 'sluice_session_streams_cut_off_total',
    help: 'Streams of sessions whose subscriber did not read the end of the stream in time.',
  });
  const deltas = metrics.counter({
    name: 'sluice_session_stream_deltas_total',
    help: 'Deltas at streams that asked for such: written; slow: the subscriber leaves too much unread; late: the event is whole already; skipped: something before was missing.',
    labels: ['outcome'],
  });
  return {
    delta: (outcome) => deltas.inc({ outcome }),
    ended: (reason) => ended.inc({ reason }),
    cutOff: () => cutOff.inc(),
    fault: (error) => logger.error('a stream of a session failed', { error }),
  };
}
