export { webhookStoreConformance, type WebhookStoreHarness } from './webhook-store-conformance';
