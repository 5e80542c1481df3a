export { changedEndpoint, skippedHead } from './changed-endpoint';
export {
  DELIVERY_OUTCOMES,
  MAX_ANSWER_CHARS,
  newLetter,
  type DeadLetter,
  type DeliveryEntry,
  type DeliveryKind,
  type DeliveryOutcome,
  type NewDeadLetter,
  type StoredDelivery,
} from './delivery-log';
export { tooManyWait } from './memory-endpoint';
export { MemoryWebhookStore, type MemoryEndpoints, type MemoryWebhookStoreOptions } from './memory-webhook-store';
export {
  assertRetryPolicy,
  failedAttempts,
  faultOf,
  isSuccess,
  judgeAttempt,
  MAX_RETRY_DELAYS,
  reachedProgress,
  retryAfterMs,
  retryDelayMs,
  type AttemptedEvent,
  type AttemptResult,
  type AttemptVerdict,
  type RetryPolicy,
} from './retry-policy';
export { noticeBody, PING_TYPE, webhookBody, type ToldEvent } from './webhook-body';
export {
  isNotice,
  newEndpointId,
  RESET_TYPE,
  signingSecrets,
  type BlockedHead,
  type DisabledReason,
  type EndpointProgress,
  type EndpointState,
  type ResetNotice,
  type SubjectEvent,
  type WebhookDisabled,
  type WebhookEndpoint,
  type WebhookSecrets,
} from './webhook-endpoint';
export { MAX_FILTER_VALUES, toEventFilter, webhookFilterSchema, type WebhookFilter } from './webhook-filter';
export {
  MAX_WEBHOOK_PAGE,
  WEBHOOK_RETENTION,
  type DecideChange,
  type DeliveriesQuery,
  type HeldPlace,
  type PastQuery,
  type RecordedDelivery,
  type RenewedGrant,
  type WebhookEndpointChange,
  type WebhookGrant,
  type WebhookLease,
  type WebhookRetention,
  type WebhookStore,
} from './webhook-store';
