/** A block by its place and its identity. */
export interface BlockRef {
  readonly number: number;
  /** 0x and 64 hexadecimal digits, lower case. */
  readonly hash: string;
}

/** What links a block to the one before it. */
export interface BlockHeader extends BlockRef {
  readonly parentHash: string;
  /** As its producer says: seconds since 1970. */
  readonly timestamp: number;
}

/** A block with what it says about agents, in the order of its logs. */
export interface ChainBlock extends BlockHeader {
  readonly facts: readonly ChainFact[];
}

/** Where in its block a fact was logged. Addresses and hashes of facts are lower case; texts are as hostile as their writers. */
interface Logged {
  readonly transactionHash: string;
  readonly logIndex: number;
}

/** The token of the identity registry that is the agent: a decimal number of up to 256 bits, from 0 on. */
interface OfAgent extends Logged {
  readonly tokenId: string;
}

export interface RegisteredFact extends OfAgent {
  readonly kind: 'registered';
  readonly owner: string;
  readonly uri: string;
}

export interface TransferFact extends OfAgent {
  readonly kind: 'transfer';
  readonly from: string;
  readonly to: string;
}

export interface UriUpdatedFact extends OfAgent {
  readonly kind: 'uri_updated';
  readonly uri: string;
  readonly updatedBy: string;
}

export interface MetadataSetFact extends OfAgent {
  readonly kind: 'metadata_set';
  readonly metadataKey: string;
  /** 0x and hexadecimal digits. */
  readonly value: string;
}

export interface FeedbackGivenFact extends OfAgent {
  readonly kind: 'feedback_given';
  readonly client: string;
  /** From 1 on for each agent and client, decimal; absent in contracts 1.0.0, which do not log it. */
  readonly feedbackIndex?: string;
  /** A decimal integer, which may be negative: the value without its decimal point. */
  readonly value: string;
  readonly valueDecimals: number;
  readonly tag1: string;
  readonly tag2: string;
  readonly endpoint: string;
  readonly feedbackUri: string;
  readonly feedbackHash: string;
}

export interface FeedbackRevokedFact extends OfAgent {
  readonly kind: 'feedback_revoked';
  readonly client: string;
  readonly feedbackIndex: string;
}

export interface ResponseAppendedFact extends OfAgent {
  readonly kind: 'response_appended';
  readonly client: string;
  readonly feedbackIndex: string;
  readonly responder: string;
  readonly responseUri: string;
  readonly responseHash: string;
}

export interface ValidationRequestedFact extends OfAgent {
  readonly kind: 'validation_requested';
  readonly validator: string;
  readonly requestUri: string;
  readonly requestHash: string;
}

export interface ValidationRespondedFact extends OfAgent {
  readonly kind: 'validation_responded';
  readonly validator: string;
  readonly requestHash: string;
  readonly response: number;
  readonly responseUri: string;
  readonly responseHash: string;
  readonly tag: string;
}

export interface AttestedFact extends Logged {
  readonly kind: 'attested';
  readonly uid: string;
  readonly attester: string;
  /** What the attestation says, in the words of whoever attests; absent where it does not have the form of the schema. */
  readonly attestation?: {
    readonly agentId: string;
    readonly score: number;
    readonly tags: readonly string[];
    readonly context: string;
  };
}

export interface AttestationRevokedFact extends Logged {
  readonly kind: 'attestation_revoked';
  readonly uid: string;
  readonly attester: string;
}

/** What one log of the registries, or of the attestation service, says. */
export type ChainFact =
  | RegisteredFact
  | TransferFact
  | UriUpdatedFact
  | MetadataSetFact
  | FeedbackGivenFact
  | FeedbackRevokedFact
  | ResponseAppendedFact
  | ValidationRequestedFact
  | ValidationRespondedFact
  | AttestedFact
  | AttestationRevokedFact;
