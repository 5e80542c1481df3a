/** Most agents in one page; a larger limit counts as this one. */
export const MAX_LISTED_AGENTS = 200;

/** Most feedback in one page; a larger limit counts as this one. */
export const MAX_LISTED_FEEDBACK = 200;

/** Most responses that are shown with one feedback: the first ones, and of those no more than come to so many characters. */
export const MAX_SHOWN_RESPONSES = 100;
export const MAX_SHOWN_RESPONSES_LENGTH = 65_536;

/** What an agent says it can be reached by. */
export interface AgentService {
  readonly name: string;
  readonly endpoint: string;
  readonly version?: string;
}

/** A skill or a domain of the taxonomy. */
export interface AgentClass {
  readonly slug: string;
  readonly name: string;
}

/** An agent of a registry as its events left it. Addresses are lower case. */
export interface AgentRecord {
  /** `<chainId>:<tokenId>`. */
  readonly agentId: string;
  readonly chainId: number;
  /** Decimal, of up to 256 bits. */
  readonly tokenId: string;
  readonly owner: string;
  /** Where the registration file is. */
  readonly uri?: string;
  readonly wallet?: string;
  /** From the registration file, else `Agent #<tokenId>`. */
  readonly name: string;
  readonly description?: string;
  readonly image?: string;
  readonly active?: boolean;
  readonly x402Support?: boolean;
  readonly services: readonly AgentService[];
  readonly supportedTrust: readonly string[];
  readonly hasMcp: boolean;
  readonly hasA2a: boolean;
  readonly mcpEndpoint?: string;
  readonly a2aEndpoint?: string;
  /** Why the registration file could not be read; what is known of an earlier one stays. */
  readonly fileError?: { readonly code: string; readonly message: string };
  /** As was last found out, which may have been of an earlier endpoint; null: not yet. */
  readonly mcpReachable: boolean | null;
  readonly a2aReachable: boolean | null;
  /** When reachability changed last, in milliseconds since 1970. */
  readonly reachabilityCheckedAt?: number;
  readonly skills: readonly AgentClass[];
  readonly domains: readonly AgentClass[];
  /** From 0 to 1; absent: not classified. */
  readonly classificationConfidence?: number;
  /** The mean of its ratings; null: it has none. */
  readonly score: number | null;
  /** Ratings that count. */
  readonly feedbackCount: number;
  /** What the registry stores by key: `0x` and hexadecimal digits. */
  readonly metadata: Readonly<Record<string, string>>;
  /** When its registration occurred, in milliseconds since 1970. */
  readonly registeredAt: number;
  /** When the newest event occurred that changed it, in milliseconds since 1970. */
  readonly updatedAt: number;
  readonly createdPosition: number;
  readonly lastPosition: number;
}

/**
 * What a list is sorted by: when agents were registered (`createdPosition`), when they changed last (`lastPosition`), the
 * score, of which those without come last in both orders, or the name without its case. Among equals `createdPosition` decides.
 */
export type AgentSort = 'registered' | 'updated' | 'score' | 'name';

/** Where a page ended: see `agentCursorOf`. */
export interface AgentCursor {
  /** What the last agent was sorted by. */
  readonly key: number | string | null;
  /** Its `createdPosition`. */
  readonly position: number;
}

/** A page of agents. Every condition that is given has to be met; an empty list is none. */
export interface ListAgents {
  readonly chainIds?: readonly number[];
  /** In any case. */
  readonly owner?: string;
  /** In the name, in any case. */
  readonly name?: string;
  readonly hasMcp?: boolean;
  readonly hasA2a?: boolean;
  readonly mcpReachable?: boolean;
  readonly a2aReachable?: boolean;
  readonly active?: boolean;
  /** Slugs: at least one of them. */
  readonly skills?: readonly string[];
  /** Slugs: at least one of them. */
  readonly domains?: readonly string[];
  readonly minScore?: number;
  readonly maxScore?: number;
  readonly minFeedback?: number;
  readonly sort: AgentSort;
  readonly order: 'ascending' | 'descending';
  /** The cursor of the last agent on the page before, of a list with the same `sort`. */
  readonly after?: AgentCursor;
  readonly limit: number;
}

/** What somebody answered to feedback. */
export interface FeedbackResponse {
  readonly responder: string;
  readonly responseUri: string;
  readonly responseHash: string;
  /** When it occurred, in milliseconds since 1970. */
  readonly createdAt: number;
}

/** What somebody said about an agent, in the reputation registry or by an attestation. Addresses are lower case. */
export interface FeedbackRecord {
  readonly agentId: string;
  readonly source: 'registry' | 'eas';
  readonly clientAddress: string;
  readonly feedbackIndex?: string;
  readonly attestationUid?: string;
  /** The value as it was given: a decimal integer, without its decimal point. */
  readonly value?: string;
  readonly valueDecimals?: number;
  /** From 0 to 100. */
  readonly score: number;
  /** Whether it counts for the agent's score, while it is not revoked. */
  readonly isRating: boolean;
  readonly tags: readonly string[];
  readonly endpoint?: string;
  readonly feedbackUri?: string;
  readonly feedbackHash?: string;
  readonly revoked: boolean;
  /** The first ones, in their order: see `MAX_SHOWN_RESPONSES`. */
  readonly responses: readonly FeedbackResponse[];
  /** When it occurred, in milliseconds since 1970. */
  readonly createdAt: number;
  readonly createdPosition: number;
}

/** A page of the feedback of one agent, the newest first. */
export interface ListFeedback {
  readonly agentId: string;
  /** The `createdPosition` of the last one on the page before. */
  readonly after?: number;
  readonly limit: number;
  /** Default false. */
  readonly includeRevoked?: boolean;
}

/**
 * Reads the agents of all registries. It shows all recorded events and only those: what has a position can be read here.
 * Every method may throw SluiceError `read_model_unavailable`.
 */
export interface AgentDirectory {
  find(agentId: string): Promise<AgentRecord | undefined>;
  /**
   * @throws SluiceError `invalid_cursor` where `after` cannot be of a list with this `sort`, `overloaded` where its
   *   conditions make it take too long
   */
  list(query: ListAgents): Promise<readonly AgentRecord[]>;
  /** Of an agent that is not there: none. @throws SluiceError `overloaded` where it takes too long */
  feedback(query: ListFeedback): Promise<readonly FeedbackRecord[]>;
}
