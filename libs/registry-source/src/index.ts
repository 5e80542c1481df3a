export { checkChain, type ChainCheck, type ContractCheck, type EndpointCheck } from './check-chain';
export { createRegistrySource } from './create-registry-source';
export { DEFAULT_LIMITS, type RegistrySourceLimits } from './limits';
export { type RegistrySourceSignals, type RequestOutcome } from './signals';
export {
  UNKNOWN_PARENT_HASH,
  type HistoryRange,
  type NextBlocks,
  type RegistrySource,
  type RegistrySourceOptions,
} from './source';
