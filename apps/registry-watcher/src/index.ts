export { registryWatcherSettings, toRegistryWatcherConfig, type RegistryWatcherConfig } from './config';
export { registryWatcherOperations } from './http/operations';
export { createRegistryWatcherPart } from './registry-watcher-part';
