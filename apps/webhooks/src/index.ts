export { toWebhooksConfig, webhooksSettings, type WebhooksConfig } from './config';
export { webhooksOperations } from './http/operations';
export { createWebhooksPart } from './webhooks-part';
