export {
  accessConfigSchema,
  MIN_SECRET_BYTES,
  type AccessConfig,
  type AccessConfigInput,
  type LimitsConfig,
  type OperatorKeyConfig,
  type TokenConfig,
  type TokenSecretConfig,
} from './access-config';
export { AccessControl, createAccessControl, type AccessControlOptions, type CredentialWatch } from './access-control';
export {
  apiKeyRecordSchema,
  callerLimitsSchema,
  MAX_KEY_NAME_LENGTH,
  summariseApiKey,
  type ApiKeyRecord,
  type ApiKeySummary,
  type CallerLimits,
} from './api-keys/api-key-record';
export { MAX_LISTED_KEYS, type ApiKeyStore } from './api-keys/api-key-store';
export { API_KEY_PREFIX, hashApiKey, isApiKeyText, newApiKeyText } from './api-keys/api-key-text';
export { issueApiKey, newApiKeySchema, type NewApiKey } from './api-keys/issue-api-key';
export { MemoryApiKeyStore } from './api-keys/memory-api-key-store';
export { type KeyCheck } from './api-keys/revocation-watch';
export { authorise, type Resource } from './authorise';
export { type Clock } from './clock';
export { type Credentials } from './credentials';
export {
  CallerLimiter,
  type CallerLimiterOptions,
  type RemainingRequests,
  type SharedPool,
} from './limits/caller-limiter';
export {
  ConnectionLimiter,
  SLOT_RETRY_AFTER_MS,
  type ConnectionLease,
  type ConnectionLimits,
} from './limits/connection-limiter';
export {
  MemoryConnectionSlots,
  noSlotLeft,
  slotLost,
  slotsClosed,
  type ConnectionSlots,
} from './limits/connection-slots';
export { ConnectionBudget } from './limits/connection-budget';
export {
  FailedAuthenticationLimiter,
  type AuthenticationFailure,
  type FailedAuthenticationLimits,
} from './limits/failed-authentication-limiter';
export {
  MAX_TOLD_CALLERS,
  NO_RATE_EXCHANGE,
  RATE_TELL_INTERVAL_MS,
  type RateExchange,
  type Spending,
  type UntoldReason,
} from './limits/rate-exchange';
export { TokenBucketLimiter, type Admission, type Rate, type TokenBucketOptions } from './limits/token-bucket';
export {
  limitKeyOf,
  type ApiKeyPrincipal,
  type LocalPrincipal,
  type Principal,
  type SandboxPrincipal,
  type StreamPrincipal,
} from './principal';
export {
  ACTIONS,
  ROLE_ACTIONS,
  roleSchema,
  ROLES,
  WORKSPACE_ROLES,
  workspaceRoleSchema,
  type ActingRole,
  type Action,
  type Role,
  type WorkspaceRole,
} from './roles';
export { MAX_SCOPE_VALUES, narrowToScope, streamScopeSchema, type StreamScope } from './tokens/stream-scope';
export { isStreamTokenText, MAX_STREAM_TOKEN_CHARS } from './tokens/stream-token-claims';
export {
  DEFAULT_STREAM_TOKEN_TTL_SECONDS,
  MAX_STREAM_TOKEN_TTL_SECONDS,
  mintStreamTokenRequestSchema,
  type MintStreamTokenRequest,
} from './tokens/stream-token-minter';
export { MAX_TOKEN_CHARS, TOKEN_LEEWAY_SECONDS } from './tokens/token-claims';
export {
  DEFAULT_TOKEN_TTL_SECONDS,
  MAX_TOKEN_TTL_SECONDS,
  mintRequestSchema,
  type MintedToken,
  type MintRequest,
} from './tokens/token-minter';
export { acceptedUntil, whenExpired, type ExpiryWatch } from './when-expired';
