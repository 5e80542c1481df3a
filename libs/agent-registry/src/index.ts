export {
  AGENT_ATTESTATION_SCHEMA_UID,
  chainConfigSchema,
  chainsFileSchema,
  MAX_CHAINS,
  MAX_RPC_URLS,
  rpcUrlsOf,
  type ChainConfig,
  type ChainConfigInput,
} from './chain-config';
export { MAX_CHAINS_FILE_BYTES, readChainsText, type ChainsText } from './chains-text';
export {
  MAX_DUE_CHAIN_DOCUMENTS,
  type BlockJournal,
  type ChainCommit,
  type ChainDocument,
  type ChainDocumentChange,
  type ChainGrant,
  type ChainHalt,
  type ChainState,
  type ChainStatus,
  type ChainStore,
  type EmittedEvent,
  type JsonObject,
  type JsonValue,
  type OutboxBatch,
} from './chain-store';
export {
  type AttestationRevokedFact,
  type AttestedFact,
  type BlockHeader,
  type BlockRef,
  type ChainBlock,
  type ChainFact,
  type FeedbackGivenFact,
  type FeedbackRevokedFact,
  type MetadataSetFact,
  type RegisteredFact,
  type ResponseAppendedFact,
  type TransferFact,
  type UriUpdatedFact,
  type ValidationRequestedFact,
  type ValidationRespondedFact,
} from './facts';
export { changedFields } from './files/changed-fields';
export { inlineFile, isMutableUri } from './files/file-uri';
export { parseRegistrationFile } from './files/parse-registration-file';
export {
  FILE_ERROR_CODES,
  type AgentService,
  type FileError,
  type FileErrorCode,
  type FileReading,
  type RegistrationFile,
} from './files/registration-file';
export { applyBlocks, fileUrisOf, type BlockContext } from './ledger/apply-blocks';
export { applyClassification, classificationRequestOf } from './ledger/apply-classification';
export { applyFile, fileRequestOf, type FileRequest } from './ledger/apply-file';
export { applyProbe, probeTargetOf } from './ledger/apply-probe';
export { encodeDraft } from './ledger/encode-draft';
export {
  classificationKeys,
  documentKeysOf,
  fileKeys,
  followUpKeysOf,
  keysOfJournals,
  probeKeys,
  readDocumentsOf,
  tokenIdOf,
} from './ledger/keys';
export {
  IGNORED_REASONS,
  type IgnoredReason,
  type LedgerContext,
  type LedgerOutcome,
  type RegistryDraft,
} from './ledger/ledger-types';
export type {
  ClassFinding,
  ClassificationRequest,
  ClassificationResult,
  EndpointProbe,
  ProbePolicy,
  ProbeResult,
  ProbeTarget,
} from './ledger/off-chain-types';
export { eventIdOf } from './ledger/ledger-run';
export { revertBlocks } from './ledger/revert-blocks';
export { MemoryChainStore } from './memory-chain-store';
export { isRating, meanScore, scoreOfAttestation, scoreOfFeedback } from './scores';
export { OASF_DOMAINS, OASF_SKILLS, toDomainClasses, toSkillClasses, type AgentClass } from './taxonomy';
