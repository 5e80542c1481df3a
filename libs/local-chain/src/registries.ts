import type { Address, Hex } from './hex';

/** A call of a contract by an unlocked account, which no one has sent yet. */
export interface RegistryCall {
  readonly from: Address;
  readonly to: Address;
  readonly data: Hex;
}

export interface RegistryLog {
  readonly address: Address;
  readonly topics: readonly Hex[];
  readonly data: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly transactionHash: Hex;
  readonly logIndex: number;
}

/** A log in words: the name of the event and its arguments by their names, integers of up to 48 bits as numbers. */
export interface RegistryEvent {
  readonly name: string;
  readonly args: Readonly<Record<string, unknown>>;
  readonly log: RegistryLog;
}

export interface RegistryReceipt {
  readonly transactionHash: Hex;
  readonly blockNumber: number;
  readonly blockHash: Hex;
  readonly logs: readonly RegistryLog[];
}

export interface MetadataEntry {
  readonly key: string;
  readonly value: Hex;
}

interface By {
  readonly from: Address;
}

interface OfAgent extends By {
  readonly agentId: bigint;
}

export interface Registration extends By {
  /** Absent: `register()` without a URI, which logs less than one with. */
  readonly uri?: string;
  readonly metadata?: readonly MetadataEntry[];
}

export interface UriUpdate extends OfAgent {
  readonly uri: string;
}

export interface MetadataUpdate extends OfAgent, MetadataEntry {}

export interface AgentTransfer extends OfAgent {
  readonly to: Address;
}

/** What is absent is 0 or empty. */
export interface Feedback extends OfAgent {
  readonly value: bigint;
  readonly valueDecimals?: number;
  readonly tag1?: string;
  readonly tag2?: string;
  readonly endpoint?: string;
  readonly feedbackUri?: string;
  readonly feedbackHash?: Hex;
}

/** Feedback of the contracts before 2.0.0. Tags of 1.0.0 are 32 bytes of text at most. */
export interface ScoredFeedback extends OfAgent {
  readonly score: number;
  readonly tag1?: string;
  readonly tag2?: string;
  readonly endpoint?: string;
  readonly feedbackUri?: string;
  readonly feedbackHash?: Hex;
}

export interface FeedbackRevocation extends OfAgent {
  readonly feedbackIndex: bigint;
}

export interface FeedbackResponse extends OfAgent {
  readonly client: Address;
  readonly feedbackIndex: bigint;
  readonly responseUri?: string;
  readonly responseHash?: Hex;
}

export interface ValidationRequest extends OfAgent {
  readonly validator: Address;
  readonly requestUri?: string;
  readonly requestHash: Hex;
}

/** From the validator who was asked. */
export interface ValidationResponse extends By {
  readonly requestHash: Hex;
  readonly response: number;
  readonly responseUri?: string;
  readonly responseHash?: Hex;
  readonly tag?: string;
}

export interface Attestation extends By {
  /** As the attester writes it, `<chainId>:<token>` where it is meant well. */
  readonly agentId: string;
  readonly score: number;
  readonly tags?: readonly string[];
  readonly context?: string;
  readonly recipient?: Address;
  /** Instead of what the fields above say: bytes of any form. */
  readonly data?: Hex;
}

export interface AttestationRevocation extends By {
  readonly uid: Hex;
}

/** Many registrations in one transaction, with the agent's id where the URI has `{id}`, which it has once. Only their owners are kept. */
export interface BulkRegistration extends By {
  readonly count: number;
  readonly uri: string;
}

/** Many feedbacks in one transaction, in turns on `agents` agents from `firstAgentId` on. They are logged and not kept. */
export interface BulkFeedback extends By {
  readonly count: number;
  readonly firstAgentId: bigint;
  readonly agents: number;
  /** Of the first one; the others follow. No client should give one twice. */
  readonly firstIndex: bigint;
  readonly tag1?: string;
}

/** Makes calls without sending them: for the blocks of a reorganisation, or many in one block. */
export interface RegistryCalls {
  register(action: Registration): RegistryCall;
  setAgentUri(action: UriUpdate): RegistryCall;
  setMetadata(action: MetadataUpdate): RegistryCall;
  /** Logs the new wallet; the signature that the real contract asks for is not checked. */
  setAgentWallet(action: OfAgent & { readonly wallet: Address }): RegistryCall;
  unsetAgentWallet(action: OfAgent): RegistryCall;
  transfer(action: AgentTransfer): RegistryCall;
  giveFeedback(action: Feedback): RegistryCall;
  revokeFeedback(action: FeedbackRevocation): RegistryCall;
  appendResponse(action: FeedbackResponse): RegistryCall;
  requestValidation(action: ValidationRequest): RegistryCall;
  respondValidation(action: ValidationResponse): RegistryCall;
  attest(action: Attestation): RegistryCall;
  revokeAttestation(action: AttestationRevocation): RegistryCall;
  /** As contracts 1.0.0: no metadata of a wallet, and no index of feedback in the log. */
  registerV1(action: Registration): RegistryCall;
  setAgentUriV1(action: UriUpdate): RegistryCall;
  giveFeedbackV1(action: ScoredFeedback): RegistryCall;
  respondValidationV1(action: ValidationResponse): RegistryCall;
  /** As the first contracts 1.1.0: the first tag is only in its topic, as a hash. */
  giveFeedbackV110(action: ScoredFeedback): RegistryCall;
  /** As contracts 1.1.0 from the 11th of January 2026 on. */
  giveFeedbackV111(action: ScoredFeedback): RegistryCall;
  /** Logs what as many calls of `register(uri)` do. */
  bulkRegister(action: BulkRegistration): RegistryCall;
  bulkFeedback(action: BulkFeedback): RegistryCall;
}

/** An agent as the identity registry has it at the head. */
export interface AgentOnChain {
  readonly agentId: bigint;
  readonly owner: Address;
  readonly uri: string;
  /** Undefined where it is unset. */
  readonly wallet: Address | undefined;
}

/** A feedback as the reputation registry has it at the head, those of all versions alike. */
export interface FeedbackOnChain {
  readonly agentId: bigint;
  readonly client: Address;
  readonly feedbackIndex: bigint;
  readonly value: bigint;
  readonly valueDecimals: number;
  readonly tag1: string;
  readonly tag2: string;
  readonly revoked: boolean;
  readonly responses: bigint;
}

/** An attestation as the attestation service has it at the head. */
export interface AttestationOnChain {
  readonly uid: Hex;
  readonly attester: Address;
  readonly revoked: boolean;
  readonly data: Hex;
}

/** Where the contracts are, as the file of chains wants it. */
export interface LocalChainEntry {
  readonly chainId: number;
  readonly name: string;
  readonly rpcUrls: string[];
  readonly wsUrl?: string;
  readonly identityRegistry: Address;
  readonly reputationRegistry: Address;
  readonly validationRegistry: Address;
  readonly eas: Address;
  readonly easSchemaUid: Hex;
  readonly startBlock: number;
  readonly confirmations: number;
  readonly pollIntervalMs: number;
}

/** The contracts of a local chain. Each action is a real transaction; with automine off it ends when its block is mined. */
export interface DeployedRegistries {
  readonly identity: Address;
  readonly reputation: Address;
  readonly validation: Address;
  readonly eas: Address;
  readonly schemaRegistry: Address;
  readonly schemaUid: Hex;
  /** The block before the first contract: nothing below it says anything of the registries. */
  readonly deployedAt: number;
  /** The block in which everything is there: a reorganisation of it or of those below it takes the contracts away. */
  readonly contractsAt: number;
  readonly calls: RegistryCalls;
  /** Hands a call to the chain. @returns the hash of its transaction */
  send(call: RegistryCall): Promise<Hex>;
  /** Waits until the transaction is in a block. @throws LocalChainError when it failed there */
  receipt(transactionHash: Hex): Promise<RegistryReceipt>;
  /** `send` and `receipt`. */
  execute(call: RegistryCall): Promise<RegistryReceipt>;
  register(action: Registration): Promise<RegistryReceipt & { readonly agentId: bigint }>;
  setAgentUri(action: UriUpdate): Promise<RegistryReceipt>;
  setMetadata(action: MetadataUpdate): Promise<RegistryReceipt>;
  transfer(action: AgentTransfer): Promise<RegistryReceipt>;
  giveFeedback(action: Feedback): Promise<RegistryReceipt & { readonly feedbackIndex: bigint }>;
  revokeFeedback(action: FeedbackRevocation): Promise<RegistryReceipt>;
  appendResponse(action: FeedbackResponse): Promise<RegistryReceipt>;
  requestValidation(action: ValidationRequest): Promise<RegistryReceipt>;
  respondValidation(action: ValidationResponse): Promise<RegistryReceipt>;
  attest(action: Attestation): Promise<RegistryReceipt & { readonly uid: Hex }>;
  revokeAttestation(action: AttestationRevocation): Promise<RegistryReceipt>;
  /** Ids run from 0 to one below this. */
  agentCount(): Promise<bigint>;
  agent(agentId: bigint): Promise<AgentOnChain | undefined>;
  agents(): Promise<readonly AgentOnChain[]>;
  metadata(agentId: bigint, key: string): Promise<Hex>;
  /** Every feedback on the agent, or on all of them by their ids, in the order in which it was given. */
  feedback(agentId?: bigint): Promise<readonly FeedbackOnChain[]>;
  /** Every attestation of the schema that was ever logged on the chain as it is now. */
  attestations(): Promise<readonly AttestationOnChain[]>;
  /** All logs of the registries and of the attestation service, in their order. */
  logs(fromBlock?: number, toBlock?: number): Promise<readonly RegistryLog[]>;
  /** What `logs` say, in words; an attestation with what it says. */
  history(): Promise<readonly RegistryEvent[]>;
  /** An entry for the file of chains. Default: 5 confirmations, a poll each 100 ms, the chain's own addresses. */
  chainConfig<Overrides extends object = object>(overrides?: Overrides): LocalChainEntry & Overrides;
}
