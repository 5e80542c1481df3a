import type { PresenceRefusal } from '@sluice/delivery';
import type { BrokerNames } from '@sluice/event-schema';
import type { NatsAddress } from '@sluice/nats-connection';

/** What happened, for counters and gauges. */
export type CoordinationMetric =
  /** Whether the replicas hear each other; while not, each counts alone. */
  | { readonly kind: 'shared'; readonly shared: boolean }
  /** A slot was sought. `alone`: it was given without asking the others. */
  | { readonly kind: 'slot_sought'; readonly outcome: 'shared' | 'alone' | 'refused' }
  | { readonly kind: 'slot_lost' }
  /** Two replicas wrote about one key at the same time, and one of them tries again. */
  | { readonly kind: 'slot_conflict' }
  /** Nobody more can join, because the group, its workspace or this replica is full. */
  | { readonly kind: 'presence_refused'; readonly refusal: PresenceRefusal }
  | { readonly kind: 'rates_told'; readonly callers: number }
  | { readonly kind: 'rates_heard'; readonly callers: number }
  | { readonly kind: 'deltas_told'; readonly deltas: number }
  | { readonly kind: 'deltas_heard'; readonly deltas: number }
  /** Deltas of sessions that others were not told: NATS is away, or there are too many. */
  | { readonly kind: 'deltas_dropped'; readonly deltas: number };

export interface NatsCoordinationOptions extends NatsAddress {
  readonly names: Pick<
    BrokerNames,
    'slotBucket' | 'replicaBucket' | 'rateSubject' | 'presenceSubject' | 'sessionDeltaSubject'
  >;
  /** Copies of the buckets in a NATS cluster; 1 by default. */
  readonly replicas?: number;
  /** A replica that is not heard for so long is dead: 5 s by default, and the same for all replicas. */
  readonly replicaTtlMs?: number;
  /** How often a replica says that it is alive, some times in `replicaTtlMs`; 1.5 s by default. */
  readonly heartbeatIntervalMs?: number;
  /** So often what is held is written again, well within the 30 minutes after which it is forgotten; 5 by default. */
  readonly documentRefreshMs?: number;
  /** Most bytes of deltas of sessions that this replica tells in a second; 4 MiB by default. */
  readonly deltaBytesPerSecond?: number;
  /** Told when this replica starts to count alone, and why, and of messages that cannot be read. Must not throw. */
  onFault?(error: unknown): void;
  /** Must not throw. */
  onMetric?(metric: CoordinationMetric): void;
}

/** Waits between attempts to connect, or to be counted again: they grow with the outage, between these bounds. */
export const RETRY_DELAY_MS = { minimum: 50, maximum: 1_000 } as const;

/** Longest wait for one answer about a key; after it this replica counts alone. */
export const OPERATION_TIMEOUT_MS = 750;

/** Longest wait for the buckets to be there. */
export const BUCKET_TIMEOUT_MS = 2_000;

/** Longest wait for a slot. */
export const ACQUIRE_TIMEOUT_MS = 950;

/** Longest wait for a clean end. */
export const DRAIN_TIMEOUT_MS = 1_000;

/** Default of `replicaTtlMs`: the age at which the server forgets a heartbeat. */
export const REPLICA_TTL_MS = 5_000;

/** Default of `heartbeatIntervalMs`. */
export const HEARTBEAT_INTERVAL_MS = 1_500;

/** By this part of `replicaTtlMs` earlier than the server a replica itself doubts that it is still counted. */
export const REPLICA_TTL_MARGIN = 0.1;

/** For how long another replica is believed to be alive without asking again. */
export const ALIVE_BELIEVED_MS = 500;

/** The server forgets what nobody has written for so long. */
export const DOCUMENT_TTL_MS = 30 * 60_000;

/** Default of `documentRefreshMs`. */
export const DOCUMENT_REFRESH_MS = 5 * 60_000;

/** Most documents written again at one heartbeat. */
export const MAX_REFRESHES = 200;

/** Most bytes of all documents; a full bucket makes replicas count alone. */
export const SLOT_BUCKET_BYTES = 64 * 1024 * 1024;

export const REPLICA_BUCKET_BYTES = 4 * 1024 * 1024;

/** Largest document: a key and some hundred replicas. */
export const MAX_DOCUMENT_BYTES = 16 * 1024;

/** Most callers that wait for a slot of one key; beyond it there is none. */
export const MAX_WAITING_PER_KEY = 1_000;

/** Most other replicas that a document names before the dead among them are looked for. */
export const MAX_NAMED_REPLICAS = 64;

/** Most times that one change meets others; after it this replica counts alone. */
export const MAX_CONFLICTS = 50;

/** Wait before a write that met another is tried again, times a random part. */
export const CONFLICT_PAUSE_MS = 10;

/** Most bytes of one message. */
export const MAX_MESSAGE_BYTES = 512 * 1024;

/** Default of `deltaBytesPerSecond`. */
export const DELTA_BYTES_PER_SECOND = 4 * 1024 * 1024;

/** Most deltas of one message. */
export const MAX_MESSAGE_DELTAS = 500;

/** Most sessions of which is remembered that deltas were dropped. */
export const MAX_GAPPED_SESSIONS = 10_000;
