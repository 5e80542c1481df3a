/** How a request to an endpoint ended. */
export type RequestOutcome =
  /** It was answered in its form. */
  | 'ok'
  /** The endpoint wants a smaller range, fewer results or smaller batches. */
  | 'limit'
  | 'rate_limited'
  | 'timeout'
  /** No connection, or an HTTP status of 5xx and the like. */
  | 'unavailable'
  /** The answer does not have the form of the protocol, or is not about what was asked. */
  | 'invalid'
  | 'too_large'
  /** A JSON-RPC error of another kind. */
  | 'refused'
  /** Nobody waits for it any more. */
  | 'aborted';

/** What a source tells about itself. Endpoints are named by host and place in the configuration: their paths hold keys. */
export interface RegistrySourceSignals {
  /** One HTTP request; `method` is `batch` where it carries several calls. */
  requested(request: {
    readonly endpoint: string;
    readonly method: string;
    readonly outcome: RequestOutcome;
    readonly durationMs: number;
  }): void;
  /** How many blocks one request for logs may span at an endpoint changed. */
  rangeLearned(change: { readonly endpoint: string; readonly blocks: number }): void;
  /** A range of history was read. */
  rangeRead(range: { readonly blocks: number; readonly logs: number; readonly durationMs: number }): void;
  /** An endpoint said something else than those that agreed. */
  disagreed(difference: { readonly endpoint: string; readonly about: string }): void;
  quarantined(quarantine: { readonly endpoint: string; readonly forMs: number }): void;
  /** An endpoint belongs to another chain and is not asked. */
  wrongChain(endpoint: { readonly endpoint: string; readonly chainId: string }): void;
  /** Logs with a known topic that do not have the event's form; they are skipped. */
  undecodable(logs: { readonly count: number }): void;
  /** A block's bloom filter promises logs that an endpoint did not give; what was given proved right or wrong by receipts, or stays open. */
  bloomMismatch(block: {
    readonly endpoint: string;
    readonly verdict: 'omission' | 'false_positive' | 'unproven';
  }): void;
  /** New heads are announced by WebSocket from now on, or no longer. */
  headsAnnounced(heads: { readonly connected: boolean; readonly reason?: string }): void;
}

export const NO_SIGNALS: RegistrySourceSignals = {
  requested: () => undefined,
  rangeLearned: () => undefined,
  rangeRead: () => undefined,
  disagreed: () => undefined,
  quarantined: () => undefined,
  wrongChain: () => undefined,
  undecodable: () => undefined,
  bloomMismatch: () => undefined,
  headsAnnounced: () => undefined,
};
