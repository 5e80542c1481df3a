import type { ByteLog, EntityKeys } from '@sluice/event-log';

/** What happened inside, for counters and histograms. */
export type SealedLogMetric =
  /** A look-up of the keys by which some entities seal; `made` of them were new. */
  | { readonly name: 'keys_looked_up'; readonly keys: number; readonly made: number; readonly durationMs: number }
  /** Records of a batch that were left out, as their key is destroyed. */
  | { readonly name: 'erased_records_skipped'; readonly records: number }
  /** Records of a batch that say they are sealed and do not open: they are handed on as they are, to be parked. */
  | { readonly name: 'unreadable_records'; readonly records: number };

/** Every bound and time of the decorator; each can be set by name. Whole numbers above 0. */
export const DEFAULT_SEALED_LIMITS = {
  /** How long a process may use a key, to seal or to open, before it asks for it again. */
  keyMaxAgeMs: 300_000,
  /** Most keys that are kept in memory for sealing, and as many for opening. The least recently looked up go first. */
  maxCachedKeys: 50_000,
  /** Most keys of one look-up. */
  maxLookUpKeys: 500,
  /** Most events, and bytes of them, that may wait for keys before `append` answers `overloaded`. */
  maxWaitingEvents: 20_000,
  maxWaitingBytes: 32 * 1024 * 1024,
  /** How long reading the journal of keys may come no further before it is a fault, to be tried again. */
  catchUpTimeoutMs: 60_000,
  /** How long the index may come no further before this process reads the journal too: somebody else may be at it. */
  catchUpGraceMs: 10_000,
} as const;

export type SealedLimits = { readonly [K in keyof typeof DEFAULT_SEALED_LIMITS]: number };

export interface SealedDurableLogOptions {
  /** Where sealed and unsealed records are stored. It is closed with the sealed log, and so is the journal. */
  readonly log: ByteLog;
  /** The copy of record of the keys: each is here before it is used. It should keep the newest record of each key. */
  readonly journal: ByteLog;
  /** The index of the keys, which all processes share. */
  readonly keys: EntityKeys;
  /** Whether events are sealed when they are appended. Sealed ones are read in any case. */
  readonly sealing: boolean;
  readonly limits?: Partial<SealedLimits>;
  /** Told of faults that are survived without help. Must not throw. */
  onFault?(error: unknown): void;
  onMetric?(metric: SealedLogMetric): void;
}

/** Options with every default filled in. */
export interface SealedSettings {
  readonly sealing: boolean;
  readonly limits: SealedLimits;
  onFault(error: unknown): void;
  onMetric(metric: SealedLogMetric): void;
}

export function toSettings(options: SealedDurableLogOptions): SealedSettings {
  return {
    sealing: options.sealing,
    limits: { ...DEFAULT_SEALED_LIMITS, ...options.limits },
    onFault: (error) => options.onFault?.(error),
    onMetric: (metric) => options.onMetric?.(metric),
  };
}
