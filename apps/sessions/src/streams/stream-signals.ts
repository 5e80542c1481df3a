import type { StreamSignals } from '@sluice/event-streams';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What the streams of sessions tell operators. */
export function createStreamSignals(metrics: MetricsRegistry, logger: Logger): StreamSignals {
  const ended = metrics.counter({
    name: 'sluice_session_streams_ended_total',
    help: 'Streams of sessions that ended, by reason.',
    labels: ['reason'],
  });
  const cutOff = metrics.counter({
    name: 'sluice_session_streams_cut_off_total',
    help: 'Streams of sessions whose subscriber did not read the end of the stream in time.',
  });
  return {
    ended: (reason) => ended.inc({ reason }),
    cutOff: () => cutOff.inc(),
    fault: (error) => logger.error('a stream of a session failed', { error }),
  };
}
