import { encodeAbiParameters, encodeEventTopics, parseAbi, type AbiEvent } from 'viem';
import type { RawLog } from '../logs/raw-log';

/** The events as their contracts declare them, for viem: what our own decoder is compared with. */
export const EVENT_ABI = {
  registered: parseAbi(['event Registered(uint256 indexed agentId, string agentURI, address indexed owner)'])[0],
  metadataSet: parseAbi([
    'event MetadataSet(uint256 indexed agentId, string indexed indexedMetadataKey, string metadataKey, bytes metadataValue)',
  ])[0],
  uriUpdated: parseAbi(['event URIUpdated(uint256 indexed agentId, string newURI, address indexed updatedBy)'])[0],
  uriUpdated100: parseAbi(['event UriUpdated(uint256 indexed agentId, string newUri, address indexed updatedBy)'])[0],
  transfer: parseAbi(['event Transfer(address indexed from, address indexed to, uint256 indexed tokenId)'])[0],
  feedback100: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint8 score, bytes32 indexed tag1, bytes32 tag2, string feedbackUri, bytes32 feedbackHash)',
  ])[0],
  feedback110: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, uint8 score, string indexed tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  ])[0],
  feedback110Tag: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, uint8 score, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  ])[0],
  feedbackUint256: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, uint256 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  ])[0],
  feedbackInt256: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, int256 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  ])[0],
  feedback200: parseAbi([
    'event NewFeedback(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, int128 value, uint8 valueDecimals, string indexed indexedTag1, string tag1, string tag2, string endpoint, string feedbackURI, bytes32 feedbackHash)',
  ])[0],
  feedbackRevoked: parseAbi([
    'event FeedbackRevoked(uint256 indexed agentId, address indexed clientAddress, uint64 indexed feedbackIndex)',
  ])[0],
  responseAppended: parseAbi([
    'event ResponseAppended(uint256 indexed agentId, address indexed clientAddress, uint64 feedbackIndex, address indexed responder, string responseURI, bytes32 responseHash)',
  ])[0],
  validationRequest: parseAbi([
    'event ValidationRequest(address indexed validatorAddress, uint256 indexed agentId, string requestURI, bytes32 indexed requestHash)',
  ])[0],
  validationResponse: parseAbi([
    'event ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, bytes32 indexed requestHash, uint8 response, string responseURI, bytes32 responseHash, string tag)',
  ])[0],
  validationResponse100: parseAbi([
    'event ValidationResponse(address indexed validatorAddress, uint256 indexed agentId, bytes32 indexed requestHash, uint8 response, string responseURI, bytes32 responseHash, bytes32 tag)',
  ])[0],
  attested: parseAbi([
    'event Attested(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID)',
  ])[0],
  attestationRevoked: parseAbi([
    'event Revoked(address indexed recipient, address indexed attester, bytes32 uid, bytes32 indexed schemaUID)',
  ])[0],
} as const satisfies Record<string, AbiEvent>;

export type EventName = keyof typeof EVENT_ABI;

/** Values of an event by the names of its parameters. */
export type EventValues = Readonly<Record<string, unknown>>;

/** Topics and data of an event, as a contract logs them. */
export function encodeEvent(name: EventName, values: EventValues): { topics: string[]; data: `0x${string}` } {
  const event: AbiEvent = EVENT_ABI[name];
  const indexed: Record<string, unknown> = {};
  const inData: unknown[] = [];
  for (const input of event.inputs) {
    if (input.indexed === true) indexed[input.name ?? ''] = values[input.name ?? ''];
    else inData.push(values[input.name ?? '']);
  }
  return {
    topics: encodeEventTopics({ abi: [event], eventName: event.name, args: indexed }) as string[],
    data: encodeAbiParameters(
      event.inputs.filter((input) => input.indexed !== true),
      inData,
    ),
  };
}

/** A log of an event, somewhere on a chain. */
export function rawLog(address: string, name: EventName, values: EventValues, place: Partial<RawLog> = {}): RawLog {
  return {
    address,
    ...encodeEvent(name, values),
    blockNumber: 1,
    blockHash: `0x${'b'.repeat(64)}`,
    transactionHash: `0x${'7'.repeat(64)}`,
    logIndex: 0,
    blockTimestamp: 1_700_000_000,
    ...place,
  };
}
