export { describeAgentDirectory } from './agent-directory-conformance';
export type { AgentDirectoryHarness } from './agent-harness';
export type { WorkspaceDocumentsHarness } from './harness';
export { registryEnvelope } from './registry-envelope';
export { describeWorkspaceDocuments } from './workspace-documents-conformance';
export { workspaceEnvelope } from './workspace-envelope';
