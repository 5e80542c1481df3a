import type { StreamSignals } from '@sluice/event-streams';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/** What is told of a new stream token; never the token. */
export interface StreamTokenFacts {
  readonly keyId: string;
  readonly workspaceId: number | null;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Everything that the SSE doors tell their operators, beyond what every service and every feed does. */
export interface SseStreamSignals extends StreamSignals {
  tokenMinted(facts: StreamTokenFacts): void;
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
  const tokens = metrics.counter({ name: 'sluice_stream_tokens_minted_total', help: 'Stream tokens that were made.' });
  return {
    ended: (reason) => ended.inc({ reason }),
    cutOff: () => cutOff.inc(),
    tokenMinted: (facts) => {
      tokens.inc();
      logger.info('stream token minted', { ...facts });
    },
    fault: (error) => logger.error('a stream failed', { error }),
  };
}
