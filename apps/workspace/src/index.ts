export { toWorkspaceConfig, workspaceSettings, type WorkspaceConfig } from './config';
export { workspaceOperations } from './http/operations';
export { createWorkspacePart, type WorkspaceExtensions } from './workspace-part';
