import type { AgentRecord, FeedbackRecord, FeedbackResponse } from './agents';

/** What is known of an agent by its registration file, or as long as there is none. */
export type AgentFile = Pick<
  AgentRecord,
  | 'name'
  | 'description'
  | 'image'
  | 'active'
  | 'x402Support'
  | 'services'
  | 'supportedTrust'
  | 'hasMcp'
  | 'hasA2a'
  | 'mcpEndpoint'
  | 'a2aEndpoint'
>;

export interface Reachability {
  readonly mcp: boolean;
  readonly a2a: boolean;
  readonly checkedAt: number;
}

/** What is known of an agent, in parts that are replaced as a whole. Null: there is none. */
export interface AgentParts {
  readonly owner: string;
  readonly uri: string | null;
  readonly wallet: string | null;
  readonly file: AgentFile;
  readonly fileError: NonNullable<AgentRecord['fileError']> | null;
  readonly metadata: AgentRecord['metadata'];
  readonly reachability: Reachability | null;
  readonly classification: (Pick<AgentRecord, 'skills' | 'domains'> & { readonly confidence: number }) | null;
  readonly rating: Pick<AgentRecord, 'score' | 'feedbackCount'>;
}

type Times = Pick<AgentRecord, 'registeredAt' | 'updatedAt' | 'createdPosition' | 'lastPosition'>;

/** A whole agent, without its id. */
export interface AgentContent extends Times {
  readonly parts: AgentParts;
}

/** What is new about an agent that exists. */
export interface AgentPatch extends Pick<Times, 'updatedAt' | 'lastPosition'> {
  readonly parts: Partial<AgentParts>;
}

/** Feedback as it was given. */
export type FeedbackContent = Omit<FeedbackRecord, 'agentId' | 'revoked' | 'responses'>;

/** An answer to feedback. Its position says which came first. */
export interface PlacedResponse extends FeedbackResponse {
  readonly position: number;
}

/** What becomes of one feedback, in this order. Nothing happens to feedback that does not exist. */
export interface FeedbackChange {
  /** What it is from here on, whatever it was, without responses: null, it is gone. */
  readonly made?: FeedbackContent | null;
  readonly revoked?: boolean;
  /** By the id of their events. */
  readonly responses: ReadonlyMap<string, PlacedResponse>;
  /** Ids of the events of responses that are gone. */
  readonly withdrawn: ReadonlySet<string>;
}

/** What one or several events mean for one agent and its feedback. Nothing happens to an agent that does not exist. */
export interface AgentChange {
  readonly kind: 'agent';
  readonly agentId: string;
  /** What it is from here on, whatever it was: null, it is gone. All feedback that it had goes too. */
  readonly begins?: AgentContent | null;
  readonly patch?: AgentPatch;
  /** By the name of the feedback, after all of that. */
  readonly feedback: ReadonlyMap<string, FeedbackChange>;
}

/** The agent with the patch laid over it. */
export function patchAgent(content: AgentContent, { parts, updatedAt, lastPosition }: AgentPatch): AgentContent {
  return { ...content, parts: { ...content.parts, ...parts }, updatedAt, lastPosition };
}
