export { describeApiKeyStore, type ApiKeyStoreHarness } from './api-key-store-conformance';
