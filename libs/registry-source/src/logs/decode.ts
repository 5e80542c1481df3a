import type { ChainFact } from '@sluice/agent-registry';
import { AbiReader, addressOf, decimalOf, textOfBytes32, uint64Of } from './abi-reader';
import { decodeFeedback } from './decode-feedback';
import type { RawLog } from './raw-log';
import { TOPICS } from './topics';

type Decode = (log: RawLog) => ChainFact | undefined;

/** What stands in each fact. */
function logged(log: RawLog): { readonly transactionHash: string; readonly logIndex: number } {
  return { transactionHash: log.transactionHash, logIndex: log.logIndex };
}

/** An indexed number; topics are whole words. */
function numberTopic(log: RawLog, place: number): string {
  return decimalOf(topic(log, place).slice(2));
}

function topic(log: RawLog, place: number): string {
  return log.topics[place] ?? '';
}

function addressTopic(log: RawLog, place: number): string | undefined {
  return addressOf(topic(log, place).slice(2));
}

/** A decoder for events with this many topics. */
function withTopics(count: number, decode: Decode): Decode {
  return (log) => (log.topics.length === count ? decode(log) : undefined);
}

const decodeUriUpdated = withTopics(3, (log) => {
  const updatedBy = addressTopic(log, 2);
  const data = new AbiReader(log.data);
  const uri = data.text(0);
  if (updatedBy === undefined || data.failed) return undefined;
  return { kind: 'uri_updated', ...logged(log), tokenId: numberTopic(log, 1), uri, updatedBy };
});

function validationResponse(tagOf: (data: AbiReader) => string): Decode {
  return withTopics(4, (log) => {
    const validator = addressTopic(log, 1);
    const data = new AbiReader(log.data);
    const response = data.uint8(0);
    const responseUri = data.text(1);
    const responseHash = data.bytes32(2);
    const tag = tagOf(data);
    if (validator === undefined || data.failed) return undefined;
    return {
      kind: 'validation_responded',
      ...logged(log),
      tokenId: numberTopic(log, 2),
      validator,
      requestHash: topic(log, 3),
      response,
      responseUri,
      responseHash,
      tag,
    };
  });
}

function attestation(kind: 'attested' | 'attestation_revoked'): Decode {
  return withTopics(4, (log) => {
    const attester = addressTopic(log, 2);
    const data = new AbiReader(log.data);
    const uid = data.bytes32(0);
    if (attester === undefined || data.failed) return undefined;
    return { kind, ...logged(log), uid, attester };
  });
}

const identityDecoders: readonly (readonly [string, Decode])[] = [
  [
    TOPICS.registered,
    withTopics(3, (log) => {
      const owner = addressTopic(log, 2);
      const data = new AbiReader(log.data);
      const uri = data.text(0);
      if (owner === undefined || data.failed) return undefined;
      return { kind: 'registered', ...logged(log), tokenId: numberTopic(log, 1), owner, uri };
    }),
  ],
  [
    TOPICS.metadataSet,
    withTopics(3, (log) => {
      const data = new AbiReader(log.data);
      const metadataKey = data.text(0);
      const value = data.bytes(1);
      if (data.failed) return undefined;
      return { kind: 'metadata_set', ...logged(log), tokenId: numberTopic(log, 1), metadataKey, value };
    }),
  ],
  [TOPICS.uriUpdated, decodeUriUpdated],
  [TOPICS.uriUpdated100, decodeUriUpdated],
  [
    TOPICS.transfer,
    withTopics(4, (log) => {
      const from = addressTopic(log, 1);
      const to = addressTopic(log, 2);
      if (from === undefined || to === undefined) return undefined;
      return { kind: 'transfer', ...logged(log), tokenId: numberTopic(log, 3), from, to };
    }),
  ],
];

const reputationDecoders: readonly (readonly [string, Decode])[] = [
  [TOPICS.feedback100, decodeFeedback],
  [TOPICS.feedback110, decodeFeedback],
  [TOPICS.feedback110Tag, decodeFeedback],
  [TOPICS.feedbackUint256, decodeFeedback],
  [TOPICS.feedbackInt256, decodeFeedback],
  [TOPICS.feedback200, decodeFeedback],
  [
    TOPICS.feedbackRevoked,
    withTopics(4, (log) => {
      const client = addressTopic(log, 2);
      const feedbackIndex = uint64Of(topic(log, 3).slice(2));
      if (client === undefined || feedbackIndex === undefined) return undefined;
      return { kind: 'feedback_revoked', ...logged(log), tokenId: numberTopic(log, 1), client, feedbackIndex };
    }),
  ],
  [
    TOPICS.responseAppended,
    withTopics(4, (log) => {
      const client = addressTopic(log, 2);
      const responder = addressTopic(log, 3);
      const data = new AbiReader(log.data);
      const feedbackIndex = data.uint64(0);
      const responseUri = data.text(1);
      const responseHash = data.bytes32(2);
      if (client === undefined || responder === undefined || data.failed) return undefined;
      const tokenId = numberTopic(log, 1);
      return {
        kind: 'response_appended',
        ...logged(log),
        tokenId,
        client,
        feedbackIndex,
        responder,
        responseUri,
        responseHash,
      };
    }),
  ],
];

const validationDecoders: readonly (readonly [string, Decode])[] = [
  [
    TOPICS.validationRequest,
    withTopics(4, (log) => {
      const validator = addressTopic(log, 1);
      const data = new AbiReader(log.data);
      const requestUri = data.text(0);
      if (validator === undefined || data.failed) return undefined;
      const requestHash = topic(log, 3);
      return {
        kind: 'validation_requested',
        ...logged(log),
        tokenId: numberTopic(log, 2),
        validator,
        requestUri,
        requestHash,
      };
    }),
  ],
  [TOPICS.validationResponse, validationResponse((data) => data.text(3))],
  [TOPICS.validationResponse100, validationResponse((data) => textOfBytes32(data.word(3)))],
];

const attestationDecoders: readonly (readonly [string, Decode])[] = [
  [TOPICS.attested, attestation('attested')],
  [TOPICS.attestationRevoked, attestation('attestation_revoked')],
];

/** Where events are looked for; addresses in lower case. */
export interface DecodedContracts {
  readonly identityRegistry: string;
  readonly reputationRegistry: string;
  readonly validationRegistry?: string | undefined;
  readonly eas?: string | undefined;
}

/**
 * Makes facts of logs. Each event counts only where it was logged by the contract it belongs to. What does not have the form
 * of its event gives undefined; nothing throws, whatever a log holds.
 */
export function createDecoder(contracts: DecodedContracts): Decode {
  const byAddress = new Map<string, Map<string, Decode>>();
  const add = (address: string | undefined, decoders: readonly (readonly [string, Decode])[]): void => {
    if (address === undefined) return;
    byAddress.set(address, new Map([...(byAddress.get(address) ?? []), ...decoders]));
  };
  add(contracts.identityRegistry, identityDecoders);
  add(contracts.reputationRegistry, reputationDecoders);
  add(contracts.validationRegistry, validationDecoders);
  add(contracts.eas, attestationDecoders);
  return (log) => byAddress.get(log.address)?.get(topic(log, 0))?.(log);
}
