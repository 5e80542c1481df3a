export { changesOfKind, type Change, type ChangeOf, type SandboxActivityChange, type SandboxStatus } from './change';
export { mergeChanges, projectEvent } from './project';
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
