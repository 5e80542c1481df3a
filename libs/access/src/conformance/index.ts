export { describeApiKeyStore, type ApiKeyStoreHarness } from './api-key-store-conformance';
export { describeConnectionSlots, type ConnectionSlotsHarness } from './connection-slots-conformance';
