import type { EncodedEnvelope } from '@sluice/event-schema';
import type { LogErasure } from './log-erasure';

/**
 * A lane is the unit of order of a durable log: the events of one entity are always in one lane. Only a log's adapter
 * knows what a lane is at its broker.
 */
export type Lane = number & { readonly __brand: 'Lane' };

/** How far into a lane a follower has come: the index of the next record to handle. */
export type LaneCheckpoints = ReadonlyMap<Lane, number>;

/** What a batch does to the checkpoint of a lane. */
export interface CheckpointMove {
  /** What the follower holds for stored; 0 where there was none. A store that has less has lost something. */
  readonly from: number;
  /** What is to be stored once the batch is handled: where to go on. */
  readonly to: number;
}

export type CheckpointMoves = ReadonlyMap<Lane, CheckpointMove>;

/** One record as it is stored. It is not decoded: what does not decode must still be parked with its reason (G7). */
export interface LogRecord {
  readonly lane: Lane;
  /** Place in its lane. Later records have higher numbers; numbers may have holes. */
  readonly index: number;
  readonly value: Uint8Array;
  /** When the log stored it, in milliseconds since 1970. */
  readonly appendedAt: number;
}

/**
 * Records in the order of their lanes. There may be none, where those that were read are erased: the checkpoints are to be
 * stored all the same.
 */
export interface LogBatch {
  readonly records: readonly LogRecord[];
  /** For every lane of the batch, and none else. */
  readonly checkpoints: CheckpointMoves;
}

export interface FollowLogOptions {
  /** Followers of one group share the lanes among them. */
  readonly group: string;
  /** Most records in one batch. */
  readonly maxBatchRecords: number;
  /**
   * Asked whenever lanes are taken over, and every `checkIntervalMs`. The answer says where to go on; a lane that is absent is read
   * from its beginning. One that is behind the follower has been lost: `onFault` is told, and the lane is read again from there.
   */
  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints>;
  /** How often, in milliseconds, it is looked whether what is stored was lost; `CHECKPOINT_CHECK_MS` by default. */
  readonly checkIntervalMs?: number;
  /**
   * Handles a batch and stores its checkpoints. When it rejects, the same records come again after a bounded back-off, or, after
   * CheckpointLost, those from the stored checkpoints on. Batches never overlap in time within one follower.
   */
  handle(batch: LogBatch): Promise<void>;
  /** Told of faults that the follower survives by itself. */
  onFault?(error: unknown): void;
}

export interface LogFollower {
  /** Stops after the batch in hand. Idempotent. */
  stop(): Promise<void>;
}

/**
 * The durable log: the only copy of record.
 *
 * - `append` resolves when all events are stored on all in-sync replicas, and only then (G1). When it rejects, none, some
 *   or all may be stored, each of them whole; the caller repeats with the same event ids.
 * - Events of one entity keep the order in which their appends were called by one process.
 * - A follower sees every stored record at least once, in the order of each lane.
 */
export interface DurableLog {
  /** Takes what is about one entity out for good. */
  readonly erasure: LogErasure;
  /** @throws SluiceError `log_unavailable` (retryable) or `overloaded` when too much waits already. */
  append(events: readonly EncodedEnvelope[]): Promise<void>;
  follow(options: FollowLogOptions): Promise<LogFollower>;
  /** For every lane, the index that the next stored record will have at the earliest: what lag is measured against. */
  ends(): Promise<LaneCheckpoints>;
  /** For every lane, the index of the first record that it may still have: what is below is gone for good. */
  starts(): Promise<LaneCheckpoints>;
  /** Resolves when the log can be reached. @throws SluiceError `log_unavailable` */
  check(): Promise<void>;
  /** Lets appends in hand finish, then lets go of everything. Idempotent. */
  close(): Promise<void>;
}

/** Bytes to be stored. What has the same key keeps its order. */
export interface LogEntry {
  readonly key: string;
  readonly value: Uint8Array;
}

/** A log that stores any bytes. What they mean, and whether they are sealed, is left to who gives and takes them. */
export interface ByteLog extends Omit<DurableLog, 'append' | 'erasure'> {
  /** As `append`, in the same order and under the same limits. */
  appendEntries(entries: readonly LogEntry[]): Promise<void>;
}
