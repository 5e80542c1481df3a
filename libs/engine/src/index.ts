export { createAppHost, toHostConfig, type AppHost, type HostConfig } from './app-host';
export type { Engine, SandboxReader } from './engine';
export { hostSettings } from './host-settings';
export { HttpGatekeeper } from './http-gatekeeper';
export { openMemoryEngine } from './memory-engine';
export { durableLogCheck, readModelCheck } from './ready-checks';
export { serveParts, type AppPart } from './serve';
