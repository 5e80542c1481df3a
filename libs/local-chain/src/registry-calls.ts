import { encodeAbiParameters, encodeFunctionData, parseAbiParameters, stringToHex, toHex } from 'viem';
import { EAS_ABI, IDENTITY_ABI, REPUTATION_ABI, VALIDATION_ABI } from './abis';
import { ZERO_ADDRESS, ZERO_HASH, type Address, type Hex } from './hex';
import { LocalChainError } from './local-chain-error';
import type { Attestation, Registration, RegistryCall, RegistryCalls, ScoredFeedback } from './registries';

export interface RegistryAddresses {
  readonly identity: Address;
  readonly reputation: Address;
  readonly validation: Address;
  readonly eas: Address;
  readonly schemaUid: Hex;
}

/** What stands in the URI of a bulk registration, once, for the agent's id. */
const ID_PLACE = '{id}';

const ATTESTATION_DATA = parseAbiParameters('string agentId, uint8 score, string[] tags, string context');

export function registryCallsOf(at: RegistryAddresses): RegistryCalls {
  const identity = (from: Address, data: Hex): RegistryCall => ({ from, to: at.identity, data });
  const reputation = (from: Address, data: Hex): RegistryCall => ({ from, to: at.reputation, data });
  const validation = (from: Address, data: Hex): RegistryCall => ({ from, to: at.validation, data });
  return {
    register: (action) => identity(action.from, encodeRegistration(action)),
    registerV1: ({ from, uri = '', metadata = [] }) =>
      identity(
        from,
        encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'registerV1', args: [uri, entriesOf(metadata)] }),
      ),
    bulkRegister: ({ from, count, uri }) => {
      const [head = '', tail, ...more] = uri.split(ID_PLACE);
      if (tail === undefined || more.length > 0) throw new LocalChainError(`The URI has to have ${ID_PLACE} once`);
      return identity(
        from,
        encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'bulkRegister', args: [BigInt(count), head, tail] }),
      );
    },
    setAgentUri: ({ from, agentId, uri }) =>
      identity(from, encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'setAgentURI', args: [agentId, uri] })),
    setAgentUriV1: ({ from, agentId, uri }) =>
      identity(from, encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'setAgentUri', args: [agentId, uri] })),
    setMetadata: ({ from, agentId, key, value }) =>
      identity(
        from,
        encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'setMetadata', args: [agentId, key, value] }),
      ),
    setAgentWallet: ({ from, agentId, wallet }) =>
      identity(
        from,
        encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'setAgentWallet', args: [agentId, wallet] }),
      ),
    unsetAgentWallet: ({ from, agentId }) =>
      identity(from, encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'unsetAgentWallet', args: [agentId] })),
    transfer: ({ from, agentId, to }) =>
      identity(
        from,
        encodeFunctionData({ abi: IDENTITY_ABI, functionName: 'transferFrom', args: [from, to, agentId] }),
      ),
    giveFeedback: (action) =>
      reputation(
        action.from,
        encodeFunctionData({
          abi: REPUTATION_ABI,
          functionName: 'giveFeedback',
          args: [action.agentId, action.value, action.valueDecimals ?? 0, ...tailOf(action)],
        }),
      ),
    giveFeedbackV1: ({ from, agentId, score, tag1 = '', tag2 = '', feedbackUri = '', feedbackHash = ZERO_HASH }) =>
      reputation(
        from,
        encodeFunctionData({
          abi: REPUTATION_ABI,
          functionName: 'giveFeedbackV100',
          args: [agentId, score, bytes32Of(tag1), bytes32Of(tag2), feedbackUri, feedbackHash],
        }),
      ),
    giveFeedbackV110: (action) => reputation(action.from, encodeScoredFeedback('giveFeedbackV110', action)),
    giveFeedbackV111: (action) => reputation(action.from, encodeScoredFeedback('giveFeedbackV111', action)),
    bulkFeedback: ({ from, count, firstAgentId, agents, firstIndex, tag1 = '' }) =>
      reputation(
        from,
        encodeFunctionData({
          abi: REPUTATION_ABI,
          functionName: 'bulkFeedback',
          args: [BigInt(count), firstAgentId, BigInt(agents), firstIndex, tag1],
        }),
      ),
    revokeFeedback: ({ from, agentId, feedbackIndex }) =>
      reputation(
        from,
        encodeFunctionData({ abi: REPUTATION_ABI, functionName: 'revokeFeedback', args: [agentId, feedbackIndex] }),
      ),
    appendResponse: ({ from, agentId, client, feedbackIndex, responseUri = '', responseHash = ZERO_HASH }) =>
      reputation(
        from,
        encodeFunctionData({
          abi: REPUTATION_ABI,
          functionName: 'appendResponse',
          args: [agentId, client, feedbackIndex, responseUri, responseHash],
        }),
      ),
    requestValidation: ({ from, validator, agentId, requestUri = '', requestHash }) =>
      validation(
        from,
        encodeFunctionData({
          abi: VALIDATION_ABI,
          functionName: 'validationRequest',
          args: [validator, agentId, requestUri, requestHash],
        }),
      ),
    respondValidation: ({ from, requestHash, response, responseUri = '', responseHash = ZERO_HASH, tag = '' }) =>
      validation(
        from,
        encodeFunctionData({
          abi: VALIDATION_ABI,
          functionName: 'validationResponse',
          args: [requestHash, response, responseUri, responseHash, tag],
        }),
      ),
    respondValidationV1: ({ from, requestHash, response, responseUri = '', responseHash = ZERO_HASH, tag = '' }) =>
      validation(
        from,
        encodeFunctionData({
          abi: VALIDATION_ABI,
          functionName: 'validationResponseV100',
          args: [requestHash, response, responseUri, responseHash, bytes32Of(tag)],
        }),
      ),
    attest: (action) => ({ from: action.from, to: at.eas, data: encodeAttestation(at.schemaUid, action) }),
    revokeAttestation: ({ from, uid }) => ({
      from,
      to: at.eas,
      data: encodeFunctionData({
        abi: EAS_ABI,
        functionName: 'revoke',
        args: [{ schema: at.schemaUid, data: { uid, value: 0n } }],
      }),
    }),
  };
}

/** The three forms of `register`, by what is given. */
function encodeRegistration({ uri, metadata }: Registration): Hex {
  const abi = IDENTITY_ABI;
  const functionName = 'register';
  if (metadata !== undefined) return encodeFunctionData({ abi, functionName, args: [uri ?? '', entriesOf(metadata)] });
  if (uri !== undefined) return encodeFunctionData({ abi, functionName, args: [uri] });
  return encodeFunctionData({ abi, functionName, args: [] });
}

function entriesOf(metadata: NonNullable<Registration['metadata']>) {
  return metadata.map(({ key, value }) => ({ metadataKey: key, metadataValue: value }));
}

type FeedbackTail = Pick<ScoredFeedback, 'tag1' | 'tag2' | 'endpoint' | 'feedbackUri' | 'feedbackHash'>;

const tailOf = ({ tag1 = '', tag2 = '', endpoint = '', feedbackUri = '', feedbackHash = ZERO_HASH }: FeedbackTail) =>
  [tag1, tag2, endpoint, feedbackUri, feedbackHash] as const;

function encodeScoredFeedback(functionName: 'giveFeedbackV110' | 'giveFeedbackV111', action: ScoredFeedback): Hex {
  const args = [action.agentId, action.score, ...tailOf(action)] as const;
  return encodeFunctionData({ abi: REPUTATION_ABI, functionName, args });
}

function encodeAttestation(schema: Hex, action: Attestation): Hex {
  const { agentId, score, tags = [], context = '', recipient = ZERO_ADDRESS } = action;
  const data = action.data ?? encodeAbiParameters(ATTESTATION_DATA, [agentId, score, tags, context]);
  const attestation = { recipient, expirationTime: 0n, revocable: true, refUID: ZERO_HASH, data, value: 0n };
  return encodeFunctionData({ abi: EAS_ABI, functionName: 'attest', args: [{ schema, data: attestation }] });
}

/** A text of contracts 1.0.0, or 32 bytes that are given as such. */
function bytes32Of(text: string): Hex {
  return /^0x[0-9a-fA-F]{64}$/.test(text) ? toHex(BigInt(text), { size: 32 }) : stringToHex(text, { size: 32 });
}
