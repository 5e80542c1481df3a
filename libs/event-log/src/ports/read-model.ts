import type {
  EncodedEnvelope,
  EncodedRecordedEvent,
  Epoch,
  EventFamily,
  Position,
  RecordedEvent,
} from '@sluice/event-schema';
import type { EventFilter } from '../filter';
import type { CheckpointMoves, Lane, LaneCheckpoints } from './durable-log';
import type { EntityRef, RemovedEvents } from './removed-events';

/** The newest recorded event. */
export interface Head {
  readonly epoch: Epoch;
  readonly position: Position;
}

/** An event that was recorded and given out: a process that saw it can tell that it was lost. */
export interface RecordedWitness extends Head {
  readonly eventId: string;
}

/** A record that could not become an event, and why. It blocks nothing and can be replayed (G7). */
export interface ParkedRecord {
  readonly lane: Lane;
  readonly index: number;
  readonly value: Uint8Array;
  /** Stable code of the fault. */
  readonly reason: ParkReason;
  readonly detail: string;
  /** Known when the record could be decoded at least that far. */
  readonly workspaceId?: number;
  readonly eventId?: string;
}

export const PARK_REASONS = [
  'not_json',
  'invalid_envelope',
  'unknown_version',
  'too_large',
  'projection_failed',
] as const;

export type ParkReason = (typeof PARK_REASONS)[number];

export interface StoredParkedRecord extends ParkedRecord {
  readonly parkedId: number;
  readonly parkedAt: number;
  /** When it was last put back into the log; absent when never. */
  readonly replayedAt?: number;
}

/** One transaction's worth of work for the recorder. */
export interface RecordBatch {
  readonly envelopes: readonly EncodedEnvelope[];
  readonly parked: readonly ParkedRecord[];
  readonly checkpoints: CheckpointMoves;
}

export interface RecordOutcome {
  readonly epoch: Epoch;
  /** The events that were new, in position order. The others were recorded before. */
  readonly recorded: readonly EncodedRecordedEvent[];
}

/** A projection rejected one event: the batch was not recorded, and that event is to be parked. */
export class ProjectionFailed extends Error {
  override readonly name = 'ProjectionFailed';
  constructor(
    readonly eventId: string,
    cause: unknown,
  ) {
    super(`a projection failed on event ${eventId}`, { cause });
  }
}

/**
 * The projector's side of the read model.
 *
 * `record` is one transaction: it skips ids that it has or had, gives the rest the next positions (contiguous and in commit
 * order, with any number of projectors) and the next sequence numbers of their entities, stores them, applies the
 * projections and stores the checkpoints. Either all of it happened or nothing. A checkpoint never moves back.
 */
export interface EventRecorder {
  /**
   * @throws ProjectionFailed; CheckpointLost when less is stored than the batch begins with; SluiceError `read_model_unavailable`
   */
  record(batch: RecordBatch): Promise<RecordOutcome>;
  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints>;
  /**
   * Begins a new epoch when this event is no longer at its position in its epoch: then the store has lost what it had, and gives
   * positions a second time that subscribers have seen. Each cursor of before is answered by a reset, and whoever published
   * begins anew at the head. Nothing happens when the event is there, or removed, or its epoch is over.
   * @returns whether a new epoch began
   * @throws SluiceError `read_model_unavailable`
   */
  beginEpochIfLost(witness: RecordedWitness): Promise<boolean>;
}

export interface ReadEventsOptions {
  readonly filter: EventFilter;
  /** Only positions above this. */
  readonly after?: Position;
  /** Only positions up to this. */
  readonly upTo?: Position;
  /** Only events that occurred later than this, in milliseconds since 1970. */
  readonly occurredAfter?: number;
  /** Only events that occurred earlier than this. */
  readonly occurredBefore?: number;
  readonly order?: 'ascending' | 'descending';
  /** Most events in the answer. */
  readonly limit: number;
  /** Most bytes of envelopes, as text in UTF-8; the first event is in the answer whatever its size. Unbounded when absent. */
  readonly maxBytes?: number;
  /** The reader knows of what was removed by this revision; 0 by default. */
  readonly knownRevision?: number;
}

/**
 * Events that match, in the order asked for, and what retention has removed by that very moment. Removals have revisions: one
 * that happens later has a higher one, whatever its workspace and family.
 */
export interface RecordedPage {
  readonly events: readonly EncodedRecordedEvent[];
  /** Nothing that matches was left out. False when `limit` or `maxBytes` was reached: there may be more then. */
  readonly complete: boolean;
  /**
   * The highest position from which retention has removed an event of a workspace and family that the filter may match;
   * `BEFORE_FIRST` where it has removed none.
   */
  readonly floor: Position;
  /**
   * As `floor`, of workspaces and families of which it has removed something after the revision that the reader knows. Who has
   * seen less than this has missed something, and must be told.
   */
  readonly lost: Position;
  /** The newest removal of what the filter may match; 0 where there was none. */
  readonly revision: number;
}

export interface ReadAllOptions {
  /** Only positions above this. */
  readonly after: Position;
  /** Only positions up to this. */
  readonly upTo: Position;
  readonly limit: number;
  /** As for `read`. */
  readonly maxBytes?: number;
}

/** What is left at the position of an event that is not kept any more. Its id stays known, too. */
export interface RemovedEvent {
  readonly position: Position;
  readonly workspaceId: number;
  readonly family: EventFamily;
  readonly entityId: string;
  /**
   * The highest position from which retention has removed an event of its workspace and family. It is below the event's own
   * where the event was erased: then nobody is told.
   */
  readonly floor: Position;
  /** The newest removal of its workspace and family. */
  readonly revision: number;
}

/** What is at consecutive positions. */
export interface RecordedRange {
  readonly events: readonly EncodedRecordedEvent[];
  /** In position order, as the events are. */
  readonly removed: readonly RemovedEvent[];
  /** Each position that was asked for, up to here, is that of an event or of a removed one. What follows is not there yet. */
  readonly reached: Position;
}

/** One entity and how far it has come. Its events count whether they are kept or not. */
export interface EntitySummary {
  readonly workspaceId: number;
  readonly family: EventFamily;
  readonly entityId: string;
  readonly eventCount: number;
  readonly firstPosition: Position;
  readonly lastPosition: Position;
  readonly lastOccurredAt: number;
}

export interface ListEntitiesOptions {
  readonly workspaceId: number;
  readonly family?: EventFamily;
  /** Only entities whose (family, entityId) sorts after this: the key of the last one on the page before. */
  readonly after?: { readonly family: EventFamily; readonly entityId: string };
  readonly limit: number;
}

/** The readers' side of the read model. Every method may throw SluiceError `read_model_unavailable`. */
export interface RecordedEventReader {
  head(): Promise<Head>;
  /** Events that match, in position order. An event that cannot be brought to its current version is as it was stored. */
  read(options: ReadEventsOptions): Promise<RecordedPage>;
  /**
   * What is at the positions in (after, upTo], whatever its workspace: for filling gaps, never for a door. At most `limit`
   * positions.
   */
  readAll(options: ReadAllOptions): Promise<RecordedRange>;
  /** The recorded events among these ids; not those that were removed. */
  findByIds(eventIds: readonly string[]): Promise<ReadonlyMap<string, RecordedEvent>>;
  /**
   * Those of these ids whose events were recorded and then removed: what is appended under them is never recorded again. An
   * event may go at any moment, so who does not know an id looks for the event first, and then here.
   */
  removedAmong(eventIds: readonly string[]): Promise<ReadonlySet<string>>;
  /** Undefined where nothing was ever recorded of it. */
  findEntity(entity: EntityRef): Promise<EntitySummary | undefined>;
  listEntities(options: ListEntitiesOptions): Promise<readonly EntitySummary[]>;
}

export interface ParkedRecords {
  count(): Promise<number>;
  list(options: { workspaceId?: number; afterId?: number; limit: number }): Promise<readonly StoredParkedRecord[]>;
  markReplayed(parkedIds: readonly number[]): Promise<void>;
}

/**
 * The right to publish to the delivery log: one holder at a time. A holder that lost it cannot move the checkpoint, so
 * it cannot make its successor skip anything.
 */
export interface PublisherLease {
  /** Takes or renews the lease for `holder`; undefined while another one holds it. */
  acquire(holder: string, leaseMs: number): Promise<PublisherGrant | undefined>;
  /** Moves the checkpoint forward. False when the grant is no longer valid. */
  advance(grant: PublisherGrant, published: Position): Promise<boolean>;
  release(grant: PublisherGrant): Promise<void>;
}

export interface PublisherGrant {
  readonly holder: string;
  /** Rises with every change of holder. */
  readonly fencingToken: number;
  /** Everything up to here has been published. */
  readonly published: Position;
}

/** Tells that something was recorded by any process, so that a waiting publisher need not poll. Hints may be lost. */
export interface RecordedSignal {
  onRecorded(listener: () => void): Promise<{ stop(): Promise<void> }>;
}

export interface ReadModel extends EventRecorder, RecordedEventReader, PublisherLease, RecordedSignal {
  readonly parked: ParkedRecords;
  readonly removed: RemovedEvents;
  check(): Promise<void>;
  close(): Promise<void>;
}
