/**
 * First topics of the events, by what they are read into. All versions of the contracts that stood behind the public proxies
 * are among them: a chain is read from its first block.
 */
export const TOPICS = {
  /** Registered(uint256 indexed agentId, string agentURI, address indexed owner) */
  registered: '0xca52e62c367d81bb2e328eb795f7c7ba24afb478408a26c0e201d155c449bc4a',
  /** MetadataSet(uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue) */
  metadataSet: '0x2c149ed548c6d2993cd73efe187df6eccabe4538091b33adbd25fafdb8a1468b',
  /** URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy) */
  uriUpdated: '0x3a2c7fffc2cba7582c690e3b82c453ea02a308326a98a3ad7576c606336409fb',
  /** UriUpdated(uint256 indexed agentId, string newUri, address indexed updatedBy), contracts 1.0.0 */
  uriUpdated100: '0xb41beef75d9f8d55b985319b459e96f82453580af381391f1ad531eb8f8b5a3a',
  /** Transfer(address indexed from, address indexed to, uint256 indexed tokenId) */
  transfer: '0xddf252ad1be2c89b69c2b068fc378daa952ba7f163c4a11628f55a4df523b3ef',
  /** NewFeedback(uint256 indexed, address indexed, uint8 score, bytes32 indexed tag1, bytes32 tag2, string feedbackUri, bytes32 feedbackHash) */
  feedback100: '0x54b3254e4cc01969e70376d20390cc2f6af90539d9adaa78a53ebcda17f78154',
  /** NewFeedback(uint256 indexed, address indexed, uint64 feedbackIndex, uint8 score, string indexed tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash) */
  feedback110: '0x801d7d4264128f6f43835850f1fabb91902c3543c3738f1f62fbf7e9fd80531d',
  /** As before, with the text of tag1 before tag2. */
  feedback110Tag: '0x31f01d2aa5cdbe0619011211e9ffc39d678bc82e46d60c35953396ae61e896d8',
  /** The next, with `uint256 value`: of the days before contracts 2.0.0. */
  feedbackUint256: '0xa96589249279e205e9aa2d2299594d8c5c745cf90e49514145db5dbdea256240',
  /** The next, with `int256 value`: of the days before contracts 2.0.0. */
  feedbackInt256: '0x413f2d30fdbc0b49e55537333a7c6287556f671f40c7e2dc00fc7ca1ced350da',
  /** NewFeedback(uint256 indexed, address indexed, uint64 feedbackIndex, int128 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash) */
  feedback200: '0x6a4a61743519c9d648a14e6493f47dbe3ff1aa29e7785c96c8326a205e58febc',
  /** FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex) */
  feedbackRevoked: '0x25156fd3288212246d8b008d5921fde376c71ed14ac2e072a506eb06fde6d09d',
  /** ResponseAppended(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, address indexed responder, string responseURI, bytes32 responseHash) */
  responseAppended: '0xb1c6be0b5b8aef6539e2fac0fd131a2faa7b49edf8e505b5eb0ad487d56051d4',
  /** ValidationRequest(address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash) */
  validationRequest: '0x530436c3634a98e1e626b0898be2f1e9980cc1bd2a78c07a0aba52d0a48a5059',
  /** ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, bytes32 indexed requestHash, uint8 response, string responseURI, bytes32 responseHash, string tag) */
  validationResponse: '0xafddf629e874ccc3963b6a888c477bd464a6c8525024fc88759ea3b2326349ae',
  /** As before, with `bytes32 tag`, contracts 1.0.0 */
  validationResponse100: '0xf224d3d5ad74301be48e4d51ca5f1b24c7946875887327585becc59165297dcf',
  /** Attested(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID) */
  attested: '0x8bf46bf4cfd674fa735a3d63ec1c9ad4153f033c290341f3a588b75685141b35',
  /** Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID) */
  attestationRevoked: '0xf930a6e2523c9cc298691873087a740550b8fc85a0680830414c148ed927f615',
} as const;

export const IDENTITY_TOPICS: readonly string[] = [
  TOPICS.registered,
  TOPICS.metadataSet,
  TOPICS.uriUpdated,
  TOPICS.uriUpdated100,
  TOPICS.transfer,
];

export const REPUTATION_TOPICS: readonly string[] = [
  TOPICS.feedback100,
  TOPICS.feedback110,
  TOPICS.feedback110Tag,
  TOPICS.feedbackUint256,
  TOPICS.feedbackInt256,
  TOPICS.feedback200,
  TOPICS.feedbackRevoked,
  TOPICS.responseAppended,
];

export const VALIDATION_TOPICS: readonly string[] = [
  TOPICS.validationRequest,
  TOPICS.validationResponse,
  TOPICS.validationResponse100,
];

export const ATTESTATION_TOPICS: readonly string[] = [TOPICS.attested, TOPICS.attestationRevoked];
