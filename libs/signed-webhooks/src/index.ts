export { signWebhook, type SignWebhook } from './sign-webhook';
export {
  MAX_WEBHOOK_ID_LENGTH,
  MAX_WEBHOOK_SIGNATURES,
  verifyWebhook,
  WEBHOOK_TOLERANCE_MS,
  type VerifyWebhook,
  type WebhookVerdict,
} from './verify-webhook';
export type { ReceivedHeaders, WebhookHeaders } from './webhook-headers';
export { newWebhookSecret } from './webhook-secret';
