export { collectBytes } from './body';
export { SafeFetchError, type SafeFetchErrorCode } from './errors';
export {
  type ResolveAddresses,
  type SafeFetch,
  type SafeFetchLimits,
  type SafeFetchOptions,
  type SafeFetchRequest,
} from './options';
export { parsePrivateAllowList, type PrivateAllowList } from './private-allow-list';
export { createSafeFetch } from './safe-fetch';
export { assertFetchable } from './url-rules';
