export { chainConfigSchema, rpcUrlsOf, type ChainConfig, type ChainConfigInput } from './chain-config';
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
  type OutboxBatch,
} from './chain-store';
export {
  type AttestedFact,
  type BlockHeader,
  type BlockRef,
  type ChainBlock,
  type ChainFact,
  type FeedbackGivenFact,
  type UriUpdatedFact,
} from './facts';
export { inlineFile } from './files/file-uri';
export { parseRegistrationFile } from './files/parse-registration-file';
export { type FileError, type FileErrorCode, type FileReading, type RegistrationFile } from './files/registration-file';
export { applyBlocks, fileUrisOf } from './ledger/apply-blocks';
export { applyClassification, classificationRequestOf } from './ledger/apply-classification';
export { applyFile, fileRequestOf } from './ledger/apply-file';
export { applyProbe, probeTargetOf } from './ledger/apply-probe';
export { encodeDraft } from './ledger/encode-draft';
export { classificationKeys, fileKeys, keysOfJournals, probeKeys, readDocumentsOf, tokenIdOf } from './ledger/keys';
export { type IgnoredReason, type LedgerContext, type LedgerOutcome, type RegistryDraft } from './ledger/ledger-types';
export type {
  ClassificationRequest,
  ClassificationResult,
  EndpointProbe,
  ProbePolicy,
  ProbeResult,
  ProbeTarget,
} from './ledger/off-chain-types';
export { revertBlocks } from './ledger/revert-blocks';
export { MemoryChainStore } from './memory-chain-store';
export { meanScore } from './scores';
export { OASF_DOMAINS, OASF_SKILLS, toDomainClasses, toSkillClasses } from './taxonomy';
