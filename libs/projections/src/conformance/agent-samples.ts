import type {
  AgentRegistration,
  EncodedEnvelope,
  EventEnvelope,
  RegistrationFileSummary,
  RegistryEventData,
  RegistryEventType,
  RegistryFeedback,
} from '@sluice/event-schema';
import type { AgentRecord } from '../registry/agents';
import { registryEnvelope } from './registry-envelope';
import { OCCURRED_AT } from './workspace-envelope';

export const addressOf = (n: number) => `0x${n.toString(16).padStart(40, 'a')}`;
export const hashOf = (n: number) => `0x${n.toString(16).padStart(64, 'b')}`;

export const OWNER = addressOf(1);
export const CLIENT = addressOf(2);

type Own<T extends RegistryEventType> = Omit<RegistryEventData<T>, 'agentId' | 'chainId'>;

/** An event about an agent. */
export function about<T extends RegistryEventType>(
  agentId: string,
  type: T,
  own: Own<T>,
  overrides: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  const data = { agentId, chainId: Number(agentId.split(':')[0]), ...own } as RegistryEventData<T>;
  return registryEnvelope(type, data, overrides);
}

/** The registration of an agent that says no more than it has to. */
export function registered(
  agentId: string,
  own: Partial<Own<'agent_registered'>> = {},
  overrides = {},
): EncodedEnvelope {
  const bare = { name: nameless(agentId), owner: OWNER, hasMcp: false, hasA2a: false };
  return about(agentId, 'agent_registered', { ...bare, ...own }, overrides);
}

export const updated = (agentId: string, registration: AgentRegistration, overrides = {}): EncodedEnvelope =>
  about(agentId, 'agent_updated', { changes: ['description'], registration }, overrides);

/** What is read of an agent after `registered`, as the first event. */
export function bareAgent(agentId: string): AgentRecord {
  return {
    agentId,
    chainId: Number(agentId.split(':')[0]),
    tokenId: agentId.split(':')[1] ?? '',
    owner: OWNER,
    name: nameless(agentId),
    services: [],
    supportedTrust: [],
    hasMcp: false,
    hasA2a: false,
    mcpReachable: null,
    a2aReachable: null,
    skills: [],
    domains: [],
    score: null,
    feedbackCount: 0,
    metadata: {},
    registeredAt: OCCURRED_AT,
    updatedAt: OCCURRED_AT,
    createdPosition: 1,
    lastPosition: 1,
  };
}

export function file(name: string, more: Partial<RegistrationFileSummary> = {}): RegistrationFileSummary {
  return { name, services: [], supportedTrust: [], declaredSkills: [], declaredDomains: [], ...more };
}

/** A rating that was given in the reputation registry. */
export function rating(feedbackIndex: string, score = 80, more: Partial<RegistryFeedback> = {}): RegistryFeedback {
  const value = { value: String(score), valueDecimals: 0, score, isRating: true, tags: ['starred'] };
  return { source: 'registry', clientAddress: CLIENT, feedbackIndex, ...value, ...more };
}

/** A change of the score by one feedback. */
export function rated(
  agentId: string,
  newScore: number,
  feedbackCount: number,
  feedback?: RegistryFeedback,
  overrides: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  const own = { previousScore: 0, newScore, feedbackCount, ...(feedback && { feedback }) };
  return about(agentId, 'reputation_change', own, overrides);
}

function nameless(agentId: string): string {
  return `Agent #${agentId.split(':')[1]}`;
}
