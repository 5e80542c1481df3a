export { createAppHost, toHostConfig, type AppHost, type HostConfig } from './app-host';
export type { Coordination } from './coordination';
export type { Engine, SandboxReader } from './engine';
export { hostSettings } from './host-settings';
export { HttpGatekeeper, type AdmitOptions } from './http-gatekeeper';
export type { HttpConfig } from './http-settings';
export { openMemoryEngine } from './memory-engine';
export { durableLogCheck, readModelCheck } from './ready-checks';
export { serveParts, type AppPart } from './serve';
