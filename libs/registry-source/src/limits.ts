const KIB = 1024;
const MIB = KIB * KIB;

/** What a source of registry facts may cost. */
export interface RegistrySourceLimits {
  /** One HTTP request, from its start to the last byte of its answer. */
  readonly requestTimeoutMs: number;
  /** One answer, unpacked. */
  readonly maxResponseBytes: number;
  /** Requests under way at one endpoint; more wait. */
  readonly maxConcurrentRequests: number;
  /** Calls of one JSON-RPC batch; less where an endpoint takes less. */
  readonly maxBatchCalls: number;
  /** Ranges of history are made smaller when they hold more logs. */
  readonly maxLogsPerRange: number;
  /** Ranges of history that are fetched ahead. */
  readonly prefetchedRanges: number;
  /** Requests that one range of logs may be split into at one endpoint. */
  readonly maxSplitsPerRange: number;
  /** Transactions of one block whose receipts are read, where its logs cannot be had otherwise. */
  readonly maxReceiptsPerBlock: number;
  /** What the logs of one read may take in memory, about; more blocks of history, or near the head, are read in parts. */
  readonly maxLogBytes: number;
  /** Rounds over the endpoints before `chain_unavailable`. */
  readonly maxRounds: number;
  /** Longest wait for an endpoint to end its back-off within a call. */
  readonly maxRoundWaitMs: number;
  /** Back-off after the first failure of an endpoint in a row; twice as long after each further one. */
  readonly backOffBaseMs: number;
  readonly backOffMaxMs: number;
  /** When an endpoint has not answered by then, another one is asked beside it. */
  readonly hedgeAfterMs: number;
  /** How long an endpoint that was outvoted is asked last; twice as long when it is outvoted again. */
  readonly quarantineMs: number;
  readonly quarantineMaxMs: number;
  /** How long the slower endpoints are waited for when enough have told their head. */
  readonly headGraceMs: number;
  /** Blocks of one answer of `readNext`. */
  readonly maxLiveBlocks: number;
  /** A WebSocket that is silent for longer, or for three poll intervals if those are longer, is given up. */
  readonly webSocketSilenceMs: number;
}

export const DEFAULT_LIMITS: RegistrySourceLimits = {
  requestTimeoutMs: 10_000,
  maxResponseBytes: 64 * MIB,
  maxConcurrentRequests: 8,
  maxBatchCalls: 50,
  maxLogsPerRange: 2_500,
  prefetchedRanges: 3,
  maxSplitsPerRange: 64,
  maxReceiptsPerBlock: 50_000,
  maxLogBytes: 128 * MIB,
  maxRounds: 3,
  maxRoundWaitMs: 2_000,
  backOffBaseMs: 250,
  backOffMaxMs: 30_000,
  hedgeAfterMs: 2_000,
  quarantineMs: 60_000,
  quarantineMaxMs: 600_000,
  headGraceMs: 200,
  maxLiveBlocks: 64,
  webSocketSilenceMs: 60_000,
};
