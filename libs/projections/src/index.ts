export type { Change, SandboxActivityChange, SandboxStatus } from './change';
export { mergeChanges, projectEvent } from './project';
