export { describeAgentDirectory } from './agent-directory-conformance';
export type { AgentDirectoryHarness } from './agent-harness';
export type { WorkspaceDocumentsHarness } from './harness';
export { registryEnvelope } from './registry-envelope';
export { sessionEnvelope } from './session-envelope';
export { describeSessionEvents } from './session-events-conformance';
export type { SessionEventsHarness } from './session-harness';
export { describeWorkspaceDocuments } from './workspace-documents-conformance';
export { workspaceEnvelope } from './workspace-envelope';
