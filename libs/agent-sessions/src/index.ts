export type { Decision, DecisionContext, SessionRefusal } from './decision';
export { checkFileKey, contentToStore, MAX_FILE_KEY_LENGTH } from './file-content';
export type { FileStore, PutFile, ReadFile, StoredFile } from './file-store';
export { createSession } from './machine/create-session';
export { decideArchive, decideDelete } from './machine/end-of-session';
export { STOP_REASONS } from './machine/engine-events';
export type {
  CreateSession,
  EngineReport,
  LostRun,
  SessionEventInput,
  UpdateSession,
  UsageDelta,
} from './machine/inputs';
export { SESSION_INVARIANTS, checkSessionInvariants, type SessionInvariant } from './machine/invariants/invariants';
export { checkSessionState } from './machine/invariants/state-invariants';
export {
  MAX_ANSWERED_TOOL_USES,
  MAX_ENDED_RUNS,
  MAX_INITIAL_EVENTS,
  MAX_METADATA_ENTRIES,
  MAX_OUTCOMES,
  MAX_OUTCOME_DESCRIPTION_LENGTH,
  MAX_PENDING_ACTIONS,
  MAX_QUEUED_INPUTS,
  MAX_REPORTED_EVENTS,
  MAX_SENT_EVENTS,
  MAX_SESSION_RESOURCES,
  MAX_SHOWN_EXPLANATION_LENGTH,
} from './machine/limits';
export { referencedEventIds } from './machine/referenced-events';
export { decideReport } from './machine/report';
export { decideAddResource, decideRemoveResource, decideUpdateResource } from './machine/resources';
export { BUILT_IN_ENGINE, engineOf, isWaiting } from './machine/run-course';
export { decideRunLost, decideRunOverdue } from './machine/run-lost';
export { decideRunUntold, isUntoldForLong } from './machine/run-untold';
export { decideSend } from './machine/send';
export { decideUpdate } from './machine/update';
export { agentView, sessionView, threadView } from './machine/views';
export { MAX_MEMORY_FILE_BYTES, MemoryFileStore } from './memory-file-store';
export { MemorySessionDeltas } from './memory-session-deltas';
export { MemorySessionDocuments } from './memory-session-documents';
export { MemorySessionStore } from './memory-session-store';
export { MAX_LISTED_BYTES } from './page-size';
export type { SessionDeltas, SessionDeltasFollower, SessionScope } from './session-deltas';
export {
  SESSION_DOCUMENT_KINDS,
  type ListSessionDocuments,
  type NewSessionDocument,
  type SessionDocument,
  type SessionDocumentKind,
  type SessionDocumentPage,
  type SessionDocuments,
} from './session-documents';
export type { SessionEventBody } from './session-event';
export {
  AGENT_SESSION_STATUSES,
  type ActionKind,
  type ActiveRun,
  type AgentSessionStatus,
  type AgentSnapshot,
  type EndedRun,
  type EnvironmentType,
  type HeldAnswer,
  type OutcomeEvaluation,
  type QueuedInputType,
  type TrackedToolUse,
  type PendingAction,
  type QueuedInput,
  type RunDispatch,
  type SessionEventDraft,
  type SessionResource,
  type SessionState,
  type SessionUsage,
} from './session-state';
export type {
  ClaimDispatches,
  ClaimedDispatch,
  DispatchClaim,
  DispatchRetry,
  ListedSessions,
  ListSessions,
  OutboxEntry,
  Receipt,
  CommitReceipt,
  SessionCommit,
  SessionCommitOutcome,
  SessionStore,
  StoredSession,
  UnkeyedRequest,
} from './session-store';
