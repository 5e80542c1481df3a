/** Bounds of what waits to be stored; above them `append` rejects with `overloaded`. */
export interface AppendLimits {
  readonly maxQueuedEvents: number;
  readonly maxQueuedBytes: number;
  /** Most events in one transaction. */
  readonly maxBatchEvents: number;
  /** Most bytes of encoded text in one transaction; a single larger event has one to itself. */
  readonly maxBatchBytes: number;
  /** Longest wait for callers that come again, so that they share a transaction; see `AppendBatcher`. */
  readonly lingerMs: number;
}

export const APPEND_LIMITS: AppendLimits = {
  maxQueuedEvents: 20_000,
  maxQueuedBytes: 64 * 1024 * 1024,
  maxBatchEvents: 2_000,
  maxBatchBytes: 4 * 1024 * 1024,
  lingerMs: 3,
};

export interface PostgresDurableLogOptions {
  readonly databaseUrl: string;
  /** Schema of the log's tables: lower-case letters, digits and underscores. `durable_log` by default. */
  readonly schema?: string;
  /** Most connections besides the one that each follower has to itself; 4 by default. */
  readonly poolSize?: number;
  readonly limits?: Partial<AppendLimits>;
  /** Told of faults that are survived without help, such as a lost connection. Must not throw. */
  onFault?(error: unknown): void;
  /** Told whenever the amount of unfinished appends changes. Must not throw. */
  onQueue?(queued: { readonly events: number; readonly bytes: number }): void;
  /** Told after each transaction of appends, successful or not. Must not throw. */
  onBatch?(batch: { readonly events: number; readonly bytes: number; readonly durationMs: number }): void;
}

export const DEFAULT_SCHEMA = 'durable_log';

export const DEFAULT_POOL_SIZE = 4;

export const CONNECT_TIMEOUT_MS = 5_000;

/** Longest statement; the client gives up a little later than the server. */
export const STATEMENT_TIMEOUT_MS = 10_000;

export const CHECK_TIMEOUT_MS = 2_000;

/** Most bytes of records in one read; a single larger record is read alone. */
export const MAX_READ_BYTES = 8 * 1024 * 1024;

/** Most records that are looked through in one statement of an erasure. */
export const SCAN_RECORDS = 5_000;

/** How often a follower that stands by asks whether its group has lost its active one. */
export const STANDBY_POLL_MS = 500;

/** How often the active follower makes sure that it still has its connection, and with it its lock. */
export const HEARTBEAT_MS = 5_000;

/** Waits between attempts of a follower to connect: doubled each time, up to the maximum. */
export const RECONNECT_DELAY_MS = { first: 50, maximum: 5_000 } as const;
