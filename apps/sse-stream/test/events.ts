import {
  encodeEnvelope,
  newEventId,
  PUBLIC_WORKSPACE_ID,
  type EncodedEnvelope,
  type EventEnvelope,
  type RegistryEventType,
  type WorkspaceEventType,
} from '@sluice/event-schema';

type Data = Readonly<Record<string, unknown>>;

const AGENT = { agentId: '11155111:1234', chainId: 11155111 };
const ADDRESS = '0x1234567890abcdef1234567890ABCDEF12345678';
const HASH = `0x${'ab'.repeat(32)}`;

/** One of each type, with every documented field. */
export const REGISTRY_DATA: Readonly<Record<RegistryEventType, Data>> = {
  reputation_change: {
    ...AGENT,
    previousScore: 80,
    newScore: 84,
    feedbackCount: 15,
    latestFeedback: { score: 100, tags: ['helpful', 'fast'] },
  },
  reachability_update: {
    ...AGENT,
    mcpReachable: true,
    a2aReachable: false,
    previousMcp: false,
    previousA2a: false,
  },
  new_attestation: { ...AGENT, attestationUid: HASH, attester: ADDRESS, score: 75, tags: ['reliable'] },
  agent_registered: { ...AGENT, name: 'NewAgent', owner: ADDRESS, hasMcp: true, hasA2a: false },
  agent_updated: { ...AGENT, changes: ['description', 'mcpEndpoint'] },
  classification_complete: {
    ...AGENT,
    skills: [{ slug: 'code_generation', name: 'Code Generation' }],
    domains: [{ slug: 'technology', name: 'Technology' }],
    confidence: 0.95,
  },
};

/** A registry event, by default about agent `11155111:1234`; its entity is the agent of its data. */
export function registryEvent(
  type: RegistryEventType = 'reputation_change',
  data: Data = {},
  over: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  const all = { ...REGISTRY_DATA[type], ...data };
  const workspaceId = PUBLIC_WORKSPACE_ID;
  return envelope({ family: 'registry', workspaceId, entityId: String(all['agentId']), type, data: all, ...over });
}

/** A registry event of another agent; its chain is that of its id. */
export function registryEventOf(agentId: string, type: RegistryEventType = 'reputation_change'): EncodedEnvelope {
  return registryEvent(type, { agentId, chainId: Number(agentId.split(':')[0]) });
}

/** A workspace event, by default of workspace 1. */
export function workspaceEvent(
  type: WorkspaceEventType = 'task_created',
  data: Data = { task_id: 't-1', title: 'New task', description: '', status: 'todo', agent_id: null },
  over: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  return envelope({ family: 'workspace', workspaceId: 1, entityId: 'task/t-1', type, data, ...over });
}

function envelope(event: Omit<EventEnvelope, 'id' | 'schemaVersion' | 'occurredAt'> & Partial<EventEnvelope>) {
  return encodeEnvelope({ id: newEventId(), schemaVersion: 1, occurredAt: Date.now(), ...event });
}
