import { parseAbi } from 'viem';

/** What contracts/IdentityRegistry.sol offers. */
export const IDENTITY_ABI = parseAbi([
  'struct Agent { address owner; string uri; bytes wallet; }',
  'struct MetadataEntry { string metadataKey; bytes metadataValue; }',
  'event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)',
  'event MetadataUpdate(uint256 tokenId)',
  'event Registered(uint256 indexed agentId, string agentURI, address indexed owner)',
  'event MetadataSet(uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue)',
  'event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy)',
  'event UriUpdated(uint256 indexed agentId, string newUri, address indexed updatedBy)',
  'function register()',
  'function register(string agentURI)',
  'function register(string agentURI, MetadataEntry[] entries)',
  'function registerV1(string agentURI, MetadataEntry[] entries)',
  'function bulkRegister(uint256 count, string head, string tail)',
  'function setAgentURI(uint256 agentId, string newURI)',
  'function setAgentUri(uint256 agentId, string newUri)',
  'function setMetadata(uint256 agentId, string key, bytes value)',
  'function setAgentWallet(uint256 agentId, address wallet)',
  'function unsetAgentWallet(uint256 agentId)',
  'function transferFrom(address from, address to, uint256 agentId)',
  'function agentCount() view returns (uint256)',
  'function agents() view returns (Agent[])',
  'function ownerOf(uint256 agentId) view returns (address)',
  'function tokenURI(uint256 agentId) view returns (string)',
  'function getMetadata(uint256 agentId, string key) view returns (bytes)',
]);

/** What contracts/ReputationRegistry.sol offers; its NewFeedback events are logged by hand, so the compiler knows none. */
export const REPUTATION_ABI = parseAbi([
  'struct Entry { address client; uint64 index; bool revoked; uint8 valueDecimals; int128 value; uint64 responses; string tag1; string tag2; }',
  'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, int128 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint8 score, bytes32 indexed tag1, bytes32 tag2, string feedbackUri, bytes32 feedbackHash)',
  'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, uint8 score, string indexed tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, uint8 score, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex)',
  'event ResponseAppended(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, address indexed responder, string responseURI, bytes32 responseHash)',
  'function giveFeedback(uint256 agentId, int128 value, uint8 valueDecimals, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'function giveFeedbackV100(uint256 agentId, uint8 score, bytes32 tag1, bytes32 tag2, string feedbackUri, bytes32 feedbackHash)',
  'function giveFeedbackV110(uint256 agentId, uint8 score, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'function giveFeedbackV111(uint256 agentId, uint8 score, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  'function bulkFeedback(uint256 count, uint256 first, uint256 agents, uint64 firstIndex, string tag1)',
  'function revokeFeedback(uint256 agentId, uint64 feedbackIndex)',
  'function appendResponse(uint256 agentId, address clientAddress, uint64 feedbackIndex, string responseURI, bytes32 responseHash)',
  'function getLastIndex(uint256 agentId, address clientAddress) view returns (uint64)',
  'function feedbackOf(uint256 agentId) view returns (Entry[])',
  'function feedbackOfAll(uint256 agents) view returns (Entry[][])',
]);

/** What contracts/ValidationRegistry.sol offers. */
export const VALIDATION_ABI = parseAbi([
  'event ValidationRequest(address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash)',
  'event ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, bytes32 indexed requestHash, uint8 response, string responseURI, bytes32 responseHash, string tag)',
  'event ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, bytes32 indexed requestHash, uint8 response, string responseUri, bytes32 responseHash, bytes32 tag)',
  'function validationRequest(address validatorAddress, uint256 agentId, string requestURI, bytes32 requestHash)',
  'function validationResponse(bytes32 requestHash, uint8 response, string responseURI, bytes32 responseHash, string tag)',
  'function validationResponseV100(bytes32 requestHash, uint8 response, string responseUri, bytes32 responseHash, bytes32 tag)',
]);

/** What is used of the attestation service and of its registry of schemas. */
export const EAS_ABI = parseAbi([
  'struct AttestationRequestData { address recipient; uint64 expirationTime; bool revocable; bytes32 refUID; bytes data; uint256 value; }',
  'struct AttestationRequest { bytes32 schema; AttestationRequestData data; }',
  'struct RevocationRequestData { bytes32 uid; uint256 value; }',
  'struct RevocationRequest { bytes32 schema; RevocationRequestData data; }',
  'struct Attestation { bytes32 uid; bytes32 schema; uint64 time; uint64 expirationTime; uint64 revocationTime; bytes32 refUID; address recipient; address attester; bool revocable; bytes data; }',
  'event Attested(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID)',
  'event Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID)',
  'function attest(AttestationRequest request) payable returns (bytes32)',
  'function revoke(RevocationRequest request) payable',
  'function getAttestation(bytes32 uid) view returns (Attestation)',
]);

export const SCHEMA_REGISTRY_ABI = parseAbi([
  'event Registered(bytes32 indexed uid, address indexed registerer, (bytes32 uid, address resolver, bool revocable, string schema) schema)',
  'function register(string schema, address resolver, bool revocable) returns (bytes32)',
]);
