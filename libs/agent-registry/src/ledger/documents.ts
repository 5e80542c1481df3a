import type { FileError, RegistrationFile } from '../files/registration-file';
import type { AgentClass } from '../taxonomy';

/** `agent/<tokenId>`: what the chain alone says of an agent. */
export type AgentValue = {
  readonly owner: string;
  readonly wallet?: string | null;
  /** By key, as 0x and hexadecimal digits; bounded by `MAX_METADATA_BYTES`. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Sum and number of its ratings: integers, so that the mean never drifts. */
  readonly ratingSum: number;
  readonly ratingCount: number;
};

/** `file/<tokenId>`: the registration file. Due: it is to be read. */
export type FileValue = {
  /** Cleaned, and cut where it is too long for an event. */
  readonly uri: string;
  /** `none`: there is no URI. */
  readonly status: 'none' | 'pending' | 'read' | 'failed';
  /** What was last read, also of an earlier URI. */
  readonly file?: RegistrationFile;
  readonly contentHash?: string;
  readonly readAt?: number;
  /** Why the last reading of this URI failed. */
  readonly error?: FileError;
  /** Failures since the last success. */
  readonly failures: number;
};

export type EndpointState = {
  /** Absent until it is determined. */
  readonly isUp?: boolean;
  /** What events said last of this endpoint; absent: nothing. */
  readonly said?: boolean;
  /** Failures in a row. */
  readonly failures: number;
};

/** `reach/<tokenId>`: what probes found. Due: it is to be probed. There is one where there is an endpoint. */
export type ReachValue = {
  readonly mcpEndpoint?: string;
  readonly a2aEndpoint?: string;
  readonly mcp: EndpointState;
  readonly a2a: EndpointState;
  readonly probedAt?: number;
};

export type AnnouncedClasses = {
  readonly skills: readonly AgentClass[];
  readonly domains: readonly AgentClass[];
  readonly confidence: number;
};

/** `class/<tokenId>`: the classes of an agent. Due: it is to be classified. There is one where there is a file. */
export type ClassValue = {
  /** Tells what was, or is to be, classified. */
  readonly inputHash: string;
  readonly status: 'none' | 'pending' | 'declared' | 'classified';
  readonly model?: string;
  /** What events said last. */
  readonly announced?: AnnouncedClasses;
};

/** `feedback/<tokenId>/<client>/<index>` */
export type FeedbackValue = { readonly score: number; readonly isRating: boolean; readonly isRevoked: boolean };

/** `client/<tokenId>/<client>`: how much feedback without an index a client gave. */
export type ClientValue = { readonly count: number };

/** `attestation/<uid>` */
export type AttestationValue = { readonly tokenId: string; readonly score: number; readonly isRevoked: boolean };

/** `reverted/<blockHash>`: how often a block was undone. */
export type RevertedValue = { readonly times: number };

/** `sequence/<tokenId>`: how many events were made of an agent that did not come of a block. Never undone. */
export type SequenceValue = { readonly events: number };

export const agentKey = (tokenId: string): string => `agent/${tokenId}`;
export const fileKey = (tokenId: string): string => `file/${tokenId}`;
export const reachKey = (tokenId: string): string => `reach/${tokenId}`;
export const classKey = (tokenId: string): string => `class/${tokenId}`;
export const sequenceKey = (tokenId: string): string => `sequence/${tokenId}`;
export const clientKey = (tokenId: string, client: string): string => `client/${tokenId}/${client}`;
export const attestationKey = (uid: string): string => `attestation/${uid}`;
export const revertedKey = (blockHash: string): string => `reverted/${blockHash}`;

export function feedbackKey(tokenId: string, client: string, index: string): string {
  return `feedback/${tokenId}/${client}/${index}`;
}
