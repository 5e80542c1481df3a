export { changesOfKind, type Change, type ChangeOf, type SandboxActivityChange, type SandboxStatus } from './change';
export { mergeChanges, projectEvent } from './project';
export type {
  DocumentContent,
  DocumentEffect,
  DocumentName,
  DocumentOwner,
  DocumentPatch,
  WorkspaceDocumentChange,
} from './workspace/document-change';
export { groupChatMemberDocumentId, groupChatRunId } from './workspace/document-ids';
export {
  MAX_DUE_DOCUMENTS,
  MAX_LISTED_DOCUMENTS,
  MIN_CUT_PAGE_DOCUMENTS,
  WORKSPACE_DOCUMENT_KINDS,
  type DueWorkspaceDocuments,
  type ListWorkspaceDocuments,
  type WorkspaceDocument,
  type WorkspaceDocumentKind,
  type WorkspaceDocuments,
} from './workspace/documents';
export { MemoryWorkspaceDocuments } from './workspace/memory-workspace-documents';
