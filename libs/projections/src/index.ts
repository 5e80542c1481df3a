export { changesOfKind, type Change, type ChangeOf, type SandboxActivityChange, type SandboxStatus } from './change';
export { mergeChanges, projectEvent } from './project';
export {
  patchAgent,
  type AgentChange,
  type AgentContent,
  type AgentFile,
  type AgentParts,
  type AgentPatch,
  type FeedbackChange,
  type FeedbackContent,
  type PlacedResponse,
} from './registry/agent-change';
export { agentCursorOf, checkAgentCursor, nameKeyOf } from './registry/agent-order';
export { agentRecord, feedbackRecord, responseLength } from './registry/agent-record';
export {
  MAX_LISTED_AGENTS,
  MAX_LISTED_FEEDBACK,
  MAX_SHOWN_RESPONSES,
  MAX_SHOWN_RESPONSES_LENGTH,
  type AgentClass,
  type AgentCursor,
  type AgentDirectory,
  type AgentRecord,
  type AgentService,
  type AgentSort,
  type FeedbackRecord,
  type FeedbackResponse,
  type ListAgents,
  type ListFeedback,
} from './registry/agents';
export { MemoryAgentDirectory } from './registry/memory-agent-directory';
export { MemorySessionEvents } from './session/memory-session-events';
export type { AddedSessionEvent, SessionEventChange } from './session/session-event-change';
export { sessionEventRecord, type StoredSessionEvent } from './session/session-event-record';
export {
  MAX_LISTED_SESSION_EVENTS,
  MAX_SCANNED_SESSION_EVENTS,
  MAX_SESSION_EVENT_IDS,
  MAX_SESSION_PAGE_LENGTH,
  type ListSessionEvents,
  type SessionEventPage,
  type SessionEventRecord,
  type SessionEvents,
} from './session/session-events';
export {
  asksForOwner,
  removesOnly,
  type DocumentContent,
  type DocumentEffect,
  type DocumentName,
  type DocumentOwner,
  type DocumentPatch,
  type WorkspaceDocumentChange,
} from './workspace/document-change';
export { groupChatMemberDocumentId, groupChatRunId } from './workspace/document-ids';
export {
  MAX_DUE_DOCUMENTS,
  MAX_LISTED_DOCUMENTS,
  MIN_CUT_PAGE_DOCUMENTS,
  WORKSPACE_DOCUMENT_KINDS,
  type CountWaitingDocuments,
  type DueWorkspaceDocuments,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from './workspace/documents';
export { MemoryWorkspaceDocuments } from './workspace/memory-workspace-documents';
export { inTurns } from './workspace/turns';
