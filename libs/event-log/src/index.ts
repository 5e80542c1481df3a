export { AppendBatcher, type AppendBatcherOptions } from './append-batcher';
export { assertNotLost, CHECKPOINT_CHECK_MS, CheckpointLost, findLost, targetsOf } from './checkpoint-lost';
export {
  decodeCursor,
  encodeCursor,
  parseStartPlace,
  RESET_REASONS,
  type Cursor,
  type CursorPlace,
  type ResetReason,
  type StartPlace,
} from './cursor';
export { decodeUtf8 } from './encoding';
export { ERROR_TABLE, SluiceError, toSluiceError, type ErrorCode, type SluiceErrorOptions } from './errors';
export {
  compileFilter,
  isPublicBeside,
  isSelective,
  matchesNothing,
  mayMatch,
  prefixesByLength,
  splitTypes,
  type EventFilter,
  type EventPredicate,
} from './filter';
export { FOLLOW_REST, FollowLoop, RETRY_DELAY_MS, type FollowedLog } from './follow-loop';
export { KeyedLocks, type KeyedLockLimits } from './keyed-locks';
export { recordOfEntity, spellingsOf, type RecordOfEntity } from './entity-records';
export { InProcessDeliveryLog } from './memory/memory-delivery-log';
export { MemoryDurableLog, type MemoryDurableLogOptions } from './memory/memory-durable-log';
export { MemoryEntityKeys } from './memory/memory-entity-keys';
export { MemoryReadModel, type MemoryReadModelOptions } from './memory/memory-read-model';
export type { DeliveryFollower, DeliveryLog, FollowDeliveryOptions, RecordedRun } from './ports/delivery-log';
export type {
  ByteLog,
  CheckpointMove,
  CheckpointMoves,
  DurableLog,
  FollowLogOptions,
  Lane,
  LaneCheckpoints,
  LogBatch,
  LogEntry,
  LogFollower,
  LogRecord,
} from './ports/durable-log';
export type { CurrentKey, EntityKey, EntityKeys, FoundKey, JournalledKey, SealingPolicy } from './ports/entity-keys';
export { logEntityKey, refusedErasure, type BegunErasure, type LogEntity, type LogErasure } from './ports/log-erasure';
export { currentRecordedEvent } from './current-event';
export {
  PARK_REASONS,
  ProjectionFailed,
  type EntitySummary,
  type EventRecorder,
  type Head,
  type ListEntitiesOptions,
  type ParkedRecord,
  type ParkedRecords,
  type ParkReason,
  type PublisherGrant,
  type PublisherLease,
  type ReadAllOptions,
  type ReadEventsOptions,
  type ReadModel,
  type RecordBatch,
  type RecordedEventReader,
  type RecordedPage,
  type RecordedRange,
  type RecordedSignal,
  type RecordedWitness,
  type RecordOutcome,
  type RemovedEvent,
  type StoredParkedRecord,
} from './ports/read-model';
export type {
  LogBounds,
  ReadModelRebuilds,
  RebuildBatch,
  RebuildEvent,
  RebuildPositions,
  RebuildRemainder,
  RebuildRequest,
  RebuildState,
  RebuildStatus,
  RebuildWork,
  SwitchOutcome,
} from './ports/read-model-rebuild';
export {
  ERASABLE_FAMILIES,
  ERASURE_STEPS,
  MAX_ERASED_FIELDS,
  MAX_EVENTS_OF_FIELDS,
  MAX_LISTED_ERASURES,
  MAX_OPEN_ERASURES,
  type ErasureBacklog,
  type ErasureProgress,
  type ErasureRequest,
  type Erasures,
  type ErasureStatus,
  type ErasureStep,
  type ErasureWork,
} from './ports/erasures';
export { isRecordOf } from './record-of-entity';
export {
  isSealed,
  readSealedHeader,
  SEALED_BYTES,
  SEALED_FORM,
  sealedHeaderEnd,
  type SealedHeader,
} from './sealed-header';
export {
  FieldErasureCheck,
  isAccepted,
  keptOf,
  parseFieldPointers,
  redactEnvelope,
  type ErasedPart,
  type FieldPath,
  type RedactOptions,
  type Redaction,
} from './redact-envelope';
export {
  MAX_CLOCK_DIFFERENCE_MS,
  MAX_RETENTION_POLICIES,
  type EventRetention,
  type RetentionBacklog,
  type RetentionBounds,
  type RetentionPolicy,
  type RetentionScope,
  type RetentionStatus,
  type RetentionStep,
  type RetentionWork,
} from './ports/event-retention';
export type { EntityRef, Removal, RemovalBounds, RemovedEvents } from './ports/removed-events';
export { RetentionRounds, type DuePolicy, type RetentionHalt } from './retention-rounds';
export { advance, BEFORE_FIRST, newEpoch, toEpoch, toPosition } from './position';
export { WakeUp } from './wake-up';
