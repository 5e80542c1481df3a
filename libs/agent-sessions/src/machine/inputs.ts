import type { AgentSnapshot, EnvironmentType, SessionResource } from '../session-state';

/** An event as a caller or an engine gave it, already checked against the schema of its type. */
export type SessionEventInput = Readonly<Record<string, unknown>> & { readonly type: string };

/** What a session is made of. The ids are the caller's to make; whatever it names exists. */
export interface CreateSession {
  readonly workspaceId: number;
  /** `sesn_…` */
  readonly id: string;
  /** `sthr_…` */
  readonly threadId: string;
  readonly title?: string | null;
  readonly metadata?: Readonly<Record<string, string>>;
  readonly agent: AgentSnapshot;
  readonly environmentId: string;
  readonly environmentType: EnvironmentType;
  readonly vaultIds?: readonly string[];
  readonly resources?: readonly SessionResource[];
  readonly budget?: Readonly<Record<string, unknown>> | null;
  /** `user.message` and `user.define_outcome` only. */
  readonly initialEvents?: readonly SessionEventInput[];
}

/** Tokens that an engine used since it reported last. Whole numbers, 0 or more. */
export interface UsageDelta {
  readonly input_tokens?: number;
  readonly output_tokens?: number;
  readonly cache_read_input_tokens?: number;
  /** Counted as of the short-lived cache. */
  readonly cache_creation_input_tokens?: number;
  readonly cache_creation?: {
    readonly ephemeral_1h_input_tokens?: number;
    readonly ephemeral_5m_input_tokens?: number;
  };
}

/** What an engine says of its run. */
export interface EngineReport {
  readonly runId: string;
  /** At least one. */
  readonly events: readonly SessionEventInput[];
  readonly usageDelta?: UsageDelta;
}

/** A run that is given up by the server. */
export interface LostRun {
  readonly runId: string;
  /** For the user: why. */
  readonly message: string;
  /** Whether its engine is to be told to stop: it may still work. */
  readonly isEngineToStop: boolean;
}

/** Fields that are absent stay as they are. */
export interface UpdateSession {
  readonly title?: string | null;
  /** A null value removes the key. */
  readonly metadata?: Readonly<Record<string, string | null>> | null;
  readonly agent?: {
    readonly tools?: readonly Readonly<Record<string, unknown>>[] | null;
    readonly mcp_servers?: readonly Readonly<Record<string, unknown>>[] | null;
  };
  /** Null removes it. */
  readonly budget?: Readonly<Record<string, unknown>> | null;
}
