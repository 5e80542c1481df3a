import { nameKeyOf } from './agent-order';
import type { AgentClass, AgentRecord, ListAgents } from './agents';

/** Whether an agent meets every condition of a query. */
export function matchesAgent(agent: AgentRecord, query: ListAgents): boolean {
  const { chainIds = [], owner, name, skills = [], domains = [], minScore, maxScore, minFeedback } = query;
  return (
    (chainIds.length === 0 || chainIds.includes(agent.chainId)) &&
    (owner === undefined || agent.owner === owner.toLowerCase()) &&
    (name === undefined || nameKeyOf(agent.name).includes(nameKeyOf(name))) &&
    FLAGS.every((flag) => query[flag] === undefined || agent[flag] === query[flag]) &&
    hasAnyOf(agent.skills, skills) &&
    hasAnyOf(agent.domains, domains) &&
    (minScore === undefined || (agent.score !== null && agent.score >= minScore)) &&
    (maxScore === undefined || (agent.score !== null && agent.score <= maxScore)) &&
    (minFeedback === undefined || agent.feedbackCount >= minFeedback)
  );
}

const FLAGS = ['hasMcp', 'hasA2a', 'mcpReachable', 'a2aReachable', 'active'] as const;

function hasAnyOf(classes: readonly AgentClass[], slugs: readonly string[]): boolean {
  return slugs.length === 0 || classes.some(({ slug }) => slugs.includes(slug));
}
