export { startFaultyRpc, type FaultyRpc, type FaultyRpcOptions, type LimitWording, type RpcFaults } from './faulty-rpc';
export { ZERO_ADDRESS, ZERO_HASH, type Address, type Hex } from './hex';
export { type LocalChain, type LocalChainOptions, type MinedBlock, type ReorgTransaction } from './local-chain';
export {
  type AgentOnChain,
  type AgentTransfer,
  type Attestation,
  type AttestationOnChain,
  type AttestationRevocation,
  type BulkFeedback,
  type BulkRegistration,
  type DeployedRegistries,
  type Feedback,
  type FeedbackOnChain,
  type FeedbackResponse,
  type FeedbackRevocation,
  type LocalChainEntry,
  type MetadataEntry,
  type MetadataUpdate,
  type Registration,
  type RegistryCall,
  type RegistryCalls,
  type RegistryEvent,
  type RegistryLog,
  type RegistryReceipt,
  type ScoredFeedback,
  type UriUpdate,
  type ValidationRequest,
  type ValidationResponse,
} from './registries';
export { RpcFault } from './json-rpc';
export { LocalChainError } from './local-chain-error';
export { seededRandom, type Random } from './random';
export { startLocalChain } from './start-local-chain';
export { easArtifacts } from './eas-artifacts';
