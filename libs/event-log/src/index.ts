export { AppendBatcher, type AppendBatcherOptions } from './append-batcher';
export {
  decodeCursor,
  encodeCursor,
  parseStartPlace,
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
  prefixesByLength,
  splitTypes,
  type EventFilter,
  type EventPredicate,
} from './filter';
export { FOLLOW_REST, FollowLoop, RETRY_DELAY_MS, type ReadRecords } from './follow-loop';
export { KeyedLocks, type KeyedLockLimits } from './keyed-locks';
export { InProcessDeliveryLog } from './memory/memory-delivery-log';
export { MemoryDurableLog, type MemoryDurableLogOptions } from './memory/memory-durable-log';
export { MemoryReadModel, type MemoryReadModelOptions } from './memory/memory-read-model';
export type { DeliveryFollower, DeliveryLog, FollowDeliveryOptions, RecordedRun } from './ports/delivery-log';
export type {
  DurableLog,
  FollowLogOptions,
  Lane,
  LaneCheckpoints,
  LogBatch,
  LogFollower,
  LogRecord,
} from './ports/durable-log';
export { currentRecordedEvent } from './current-event';
export {
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
  type RecordedSignal,
  type RecordOutcome,
  type StoredParkedRecord,
} from './ports/read-model';
export type {
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
export { advance, BEFORE_FIRST, newEpoch, toEpoch, toPosition } from './position';
export { WakeUp } from './wake-up';
