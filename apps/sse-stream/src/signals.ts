import type { EndReason } from '@sluice/delivery';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** Why a stream ended: as its subscription did, because its credential ended, or by a fault of ours. */
export type StreamEnd = EndReason | 'token_expired' | 'revoked' | 'fault';

/** Everything that this app tells its operators, beyond what every service and every feed does. */
export interface SseStreamSignals {
  ended(reason: StreamEnd): void;
  /** A subscriber that did not even read the last word in time was disconnected without it. */
  cutOff(): void;
  fault(error: unknown): void;
}

export function createSseStreamSignals(metrics: MetricsRegistry, logger: Logger): SseStreamSignals {
  const ended = metrics.counter({
    name: 'sluice_sse_streams_ended_total',
    help: 'SSE streams that ended, by reason.',
    labels: ['reason'],
  });
  const cutOff = metrics.counter({
    name: 'sluice_sse_streams_cut_off_total',
    help: 'SSE streams whose subscriber did not read the end of the stream in time.',
  });
  return {
    ended: (reason) => ended.inc({ reason }),
    cutOff: () => cutOff.inc(),
    fault: (error) => logger.error('a stream failed', { error }),
  };
}
