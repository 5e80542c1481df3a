export { collectBytes } from './body';
export { SafeFetchError, type SafeFetchErrorCode } from './errors';
export {
  DEFAULT_LIMITS,
  type ResolveAddresses,
  type SafeFetch,
  type SafeFetchLimits,
  type SafeFetchOptions,
  type SafeFetchRequest,
  type SafeFetchResponse,
  type SafeFetchStream,
} from './options';
export {
  MAX_ALLOWED_ORIGINS,
  NOTHING_PRIVATE,
  parsePrivateAllowList,
  type PrivateAllowList,
} from './private-allow-list';
export { createSafeFetch } from './safe-fetch';
export { MAX_URL_LENGTH } from './url-rules';
