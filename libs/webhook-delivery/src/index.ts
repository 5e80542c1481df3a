export { changedEndpoint } from './changed-endpoint';
export {
  MAX_ANSWER_CHARS,
  type DeadLetter,
  type DeliveryEntry,
  type DeliveryKind,
  type DeliveryOutcome,
  type NewDeadLetter,
  type StoredDelivery,
} from './delivery-log';
export { MemoryWebhookStore, type MemoryEndpoints, type MemoryWebhookStoreOptions } from './memory-webhook-store';
export {
  assertRetryPolicy,
  failedAttempts,
  isSuccess,
  judgeAttempt,
  MAX_RETRY_DELAYS,
  retryAfterMs,
  type AttemptedEvent,
  type AttemptResult,
  type AttemptVerdict,
  type RetryPolicy,
} from './retry-policy';
export { PING_TYPE, webhookBody, type ToldEvent } from './webhook-body';
export {
  newEndpointId,
  signingSecrets,
  type BlockedHead,
  type DisabledReason,
  type EndpointProgress,
  type EndpointState,
  type WebhookDisabled,
  type WebhookEndpoint,
  type WebhookSecrets,
} from './webhook-endpoint';
export { MAX_FILTER_VALUES, toEventFilter, webhookFilterSchema, type WebhookFilter } from './webhook-filter';
export {
  MAX_WEBHOOK_PAGE,
  WEBHOOK_RETENTION,
  type PastQuery,
  type RecordedDelivery,
  type RenewedGrant,
  type WebhookEndpointChange,
  type WebhookGrant,
  type WebhookLease,
  type WebhookRetention,
  type WebhookStore,
} from './webhook-store';
