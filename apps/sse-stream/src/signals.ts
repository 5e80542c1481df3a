import type { EndReason } from '@sluice/delivery';
import type { Logger, MetricsRegistry } from '@sluice/service-runtime';

/**
 * Why a stream ended: as its subscription did; because its credential ended, its slot among all replicas was lost, or it
 * has lasted as long as it may; or by a fault of ours.
 */
export type StreamEnd = EndReason | 'token_expired' | 'revoked' | 'too_many_connections' | 'max_duration' | 'fault';

/** What is told of a new stream token; never the token. */
export interface StreamTokenFacts {
  readonly keyId: string;
  readonly workspaceId: number | null;
  /** When it ends, in milliseconds since 1970. */
  readonly expiresAt: number;
}

/** Everything that the SSE doors tell their operators, beyond what every service and every feed does. */
export interface SseStreamSignals {
  ended(reason: StreamEnd): void;
  /** A subscriber that did not even read the last word in time was disconnected without it. */
  cutOff(): void;
  tokenMinted(facts: StreamTokenFacts): void;
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
