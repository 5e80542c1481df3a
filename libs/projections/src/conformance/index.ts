export type { WorkspaceDocumentsHarness } from './harness';
export { describeWorkspaceDocuments } from './workspace-documents-conformance';
export { workspaceEnvelope } from './workspace-envelope';
