import type { System } from './system';

/** One event of each registry type, as the registry events document shows them. */
export const DOCUMENTED_EVENTS = [
  {
    type: 'reputation_change',
    data: {
      agentId: '11155111:1234',
      chainId: 11155111,
      previousScore: 80,
      newScore: 84,
      feedbackCount: 15,
      latestFeedback: { score: 100, tags: ['helpful', 'fast'] },
    },
    timestamp: '2024-01-03T12:01:00.000Z',
  },
  {
    type: 'reachability_update',
    data: {
      agentId: '11155111:1234',
      chainId: 11155111,
      mcpReachable: true,
      a2aReachable: false,
      previousMcp: false,
      previousA2a: false,
    },
    timestamp: '2024-01-03T12:02:00.000Z',
  },
  {
    type: 'new_attestation',
    data: {
      agentId: '11155111:1234',
      chainId: 11155111,
      attestationUid: `0xabcd${'0'.repeat(56)}ef01`,
      attester: `0x1234${'0'.repeat(32)}5678`,
      score: 75,
      tags: ['reliable'],
    },
    timestamp: '2024-01-03T12:03:00.000Z',
  },
  {
    type: 'agent_registered',
    data: {
      agentId: '11155111:5678',
      chainId: 11155111,
      name: 'NewAgent',
      owner: `0x1234${'0'.repeat(32)}5678`,
      hasMcp: true,
      hasA2a: false,
    },
    timestamp: '2024-01-03T12:04:00.000Z',
  },
  {
    type: 'agent_updated',
    data: { agentId: '11155111:1234', chainId: 11155111, changes: ['description', 'mcpEndpoint'] },
    timestamp: '2024-01-03T12:05:00.000Z',
  },
  {
    type: 'classification_complete',
    data: {
      agentId: '11155111:1234',
      chainId: 11155111,
      skills: [{ slug: 'code_generation', name: 'Code Generation' }],
      domains: [{ slug: 'technology', name: 'Technology' }],
      confidence: 0.95,
    },
    timestamp: '2024-01-03T12:06:00.000Z',
  },
] as const;

export interface RegistryEvent {
  readonly type: string;
  readonly data: object;
  readonly timestamp: string;
}

/** Stores registry events by the operators' door. */
export async function produceRegistryEvents(system: System, events: readonly RegistryEvent[]): Promise<void> {
  const { baseUrl, adminKey } = system.dev();
  const response = await fetch(`${baseUrl}/v1/registry/events`, {
    method: 'POST',
    headers: { 'x-api-key': adminKey, 'content-type': 'application/json' },
    body: JSON.stringify({
      events: events.map(({ type, data, timestamp }) => ({ type, data, timestamp: Date.parse(timestamp) })),
    }),
  });
  if (response.status !== 201) throw new Error(`${response.status}: ${await response.text()}`);
}

/** A change of one agent's reputation, told apart by its score. */
export function reputationChange(newScore: number): RegistryEvent {
  const [sample] = DOCUMENTED_EVENTS;
  return { ...sample, data: { ...sample.data, newScore } };
}
