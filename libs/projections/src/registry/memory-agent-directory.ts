import {
  patchAgent,
  type AgentChange,
  type AgentContent,
  type FeedbackChange,
  type PlacedResponse,
  type FeedbackContent,
} from './agent-change';
import { checkAgentCursor, compareAgents, isBehind } from './agent-order';
import { agentRecord, feedbackRecord, shownResponses } from './agent-record';
import { matchesAgent } from './agent-filter';
import {
  MAX_LISTED_AGENTS,
  MAX_LISTED_FEEDBACK,
  type AgentDirectory,
  type AgentRecord,
  type FeedbackRecord,
  type ListAgents,
  type ListFeedback,
} from './agents';

interface StoredFeedback {
  readonly content: FeedbackContent;
  readonly revoked: boolean;
  /** By the id of their events. */
  readonly responses: ReadonlyMap<string, PlacedResponse>;
}

interface StoredAgent {
  readonly content: AgentContent;
  /** By its name. */
  readonly feedback: Map<string, StoredFeedback>;
}

/** AgentDirectory in the memory of one process: for tests, and the readable specification of what changes do. */
export class MemoryAgentDirectory implements AgentDirectory {
  private readonly agents = new Map<string, StoredAgent>();

  /** Makes merged changes, all of them before anything can be read. */
  apply(changes: readonly AgentChange[]): void {
    for (const change of changes) this.applyOne(change);
  }

  async find(agentId: string): Promise<AgentRecord | undefined> {
    const stored = this.agents.get(agentId);
    return stored && agentRecord(agentId, stored.content);
  }

  async list(query: ListAgents): Promise<readonly AgentRecord[]> {
    const { sort, order, after, limit } = query;
    if (after) checkAgentCursor(after, sort);
    const records = [...this.agents].map(([agentId, { content }]) => agentRecord(agentId, content));
    return records
      .filter((agent) => matchesAgent(agent, query))
      .filter((agent) => after === undefined || isBehind(agent, after, sort, order))
      .sort((a, b) => compareAgents(a, b, sort, order))
      .slice(0, Math.min(limit, MAX_LISTED_AGENTS));
  }

  async feedback({ agentId, after, limit, includeRevoked = false }: ListFeedback): Promise<readonly FeedbackRecord[]> {
    return [...(this.agents.get(agentId)?.feedback.values() ?? [])]
      .filter(({ revoked }) => includeRevoked || !revoked)
      .filter(({ content }) => after === undefined || content.createdPosition < after)
      .sort((a, b) => b.content.createdPosition - a.content.createdPosition)
      .slice(0, Math.min(limit, MAX_LISTED_FEEDBACK))
      .map(({ content, revoked, responses }) =>
        feedbackRecord(agentId, content, revoked, shownResponses([...responses.values()])),
      );
  }

  private applyOne({ agentId, begins, patch, feedback }: AgentChange): void {
    if (begins === null) this.agents.delete(agentId);
    else if (begins) this.agents.set(agentId, { content: begins, feedback: new Map() });
    const stored = this.agents.get(agentId);
    if (!stored) return;
    if (patch) this.agents.set(agentId, { ...stored, content: patchAgent(stored.content, patch) });
    for (const [name, change] of feedback) {
      const after = changeFeedback(stored.feedback.get(name), change);
      if (after) stored.feedback.set(name, after);
      else stored.feedback.delete(name);
    }
  }
}

function changeFeedback(stored: StoredFeedback | undefined, change: FeedbackChange): StoredFeedback | undefined {
  const { made, revoked, responses, withdrawn } = change;
  if (made === null) return undefined;
  const before = made ? { content: made, revoked: false, responses: new Map<string, PlacedResponse>() } : stored;
  if (!before) return undefined;
  const kept = [...before.responses].filter(([eventId]) => !withdrawn.has(eventId));
  return { content: before.content, revoked: revoked ?? before.revoked, responses: new Map([...kept, ...responses]) };
}
