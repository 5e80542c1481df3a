import type { RegistryEventType } from '@sluice/event-schema';
import type { BlockJournal, ChainDocumentChange, JsonObject } from '../chain-store';
import type { FileReading } from '../files/registration-file';

/** Why something that was said about agents changed nothing. */
export const IGNORED_REASONS = [
  'unknown_agent',
  'duplicate_registration',
  'duplicate_feedback',
  'unknown_feedback',
  'revoked_already',
  'malformed_attestation',
  'foreign_attestation',
  'attestation_score_out_of_range',
  'duplicate_attestation',
  'unknown_attestation',
  'malformed_fact',
  'outdated_result',
] as const;

export type IgnoredReason = (typeof IGNORED_REASONS)[number];

/** What the ledger is told besides documents and facts. Instants are milliseconds since 1970. */
export interface LedgerContext {
  readonly chainId: number;
  readonly nowMs: number;
  /** Registration files that were read ahead, by URI as the facts give it. */
  readonly files?: ReadonlyMap<string, FileReading>;
  /** Whether agents that declare no classes are to be classified. */
  readonly classifierAvailable: boolean;
  /** How long after an endpoint became known it is probed first. */
  readonly probeFirstDelayMs?: number;
  /** How often files at http and https URIs are read again. */
  readonly fileReReadIntervalMs: number;
}

/** An event before it is an envelope. */
export interface RegistryDraft {
  readonly type: RegistryEventType;
  readonly agentId: string;
  readonly data: JsonObject;
  /** What its id is made of: the same key is the same event. */
  readonly key: string;
  readonly eventId: string;
  /** The time of its block; for what did not come of a block, or takes one back, the time it was found. */
  readonly occurredAt: number;
}

/** What is to be committed together. */
export interface LedgerOutcome {
  readonly changes: readonly ChainDocumentChange[];
  readonly journals: readonly BlockJournal[];
  /** In the order in which they are appended. */
  readonly drafts: readonly RegistryDraft[];
  readonly ignored: Readonly<Record<IgnoredReason, number>>;
}
