import type { AgentContent, FeedbackContent, PlacedResponse } from './agent-change';
import {
  MAX_SHOWN_RESPONSES,
  MAX_SHOWN_RESPONSES_LENGTH,
  type AgentRecord,
  type FeedbackRecord,
  type FeedbackResponse,
} from './agents';

/** An agent as it is read. */
export function agentRecord(agentId: string, content: AgentContent): AgentRecord {
  const { parts, ...rest } = content;
  const { owner, uri, wallet, file, fileError, metadata, reachability, classification, rating } = parts;
  const separator = agentId.indexOf(':');
  return {
    agentId,
    chainId: Number(agentId.slice(0, separator)),
    tokenId: agentId.slice(separator + 1),
    owner,
    ...(uri === null ? {} : { uri }),
    ...(wallet === null ? {} : { wallet }),
    ...file,
    ...(fileError === null ? {} : { fileError }),
    metadata,
    mcpReachable: reachability?.mcp ?? null,
    a2aReachable: reachability?.a2a ?? null,
    ...(reachability === null ? {} : { reachabilityCheckedAt: reachability.checkedAt }),
    skills: classification?.skills ?? [],
    domains: classification?.domains ?? [],
    ...(classification === null ? {} : { classificationConfidence: classification.confidence }),
    ...rating,
    ...rest,
  };
}

/** Feedback as it is read, with its responses in their order. */
export function feedbackRecord(
  agentId: string,
  content: FeedbackContent,
  revoked: boolean,
  responses: readonly FeedbackResponse[],
): FeedbackRecord {
  return { agentId, ...content, revoked, responses };
}

/** What is shown of the responses to one feedback, in their order. */
export function shownResponses(responses: readonly PlacedResponse[]): readonly FeedbackResponse[] {
  const first = [...responses].sort((a, b) => a.position - b.position).slice(0, MAX_SHOWN_RESPONSES);
  let length = 0;
  return first
    .map(({ position: _, ...response }) => response)
    .filter((response) => (length += responseLength(response)) <= MAX_SHOWN_RESPONSES_LENGTH);
}

/** In characters of its JSON text. */
export function responseLength(response: FeedbackResponse): number {
  return JSON.stringify(response).length;
}
