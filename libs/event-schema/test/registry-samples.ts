import type { RegistryEventData, RegistryEventType } from '../src';

const hash = (byte: string) => `0x${byte.repeat(32)}`;
const address = (byte: string) => `0x${byte.repeat(20)}`;

const agent = { agentId: '11155111:1234', chainId: 11_155_111 };

export const CHAIN = { blockNumber: 7_000_000, blockHash: hash('b0'), transactionHash: hash('7a'), logIndex: 3 };

/** Data of each type with every field that the registry's document shows, in the order in which it shows them. */
export const REGISTRY_SAMPLES: { readonly [T in RegistryEventType]: RegistryEventData<T> } = {
  reputation_change: {
    ...agent,
    previousScore: 80,
    newScore: 84,
    feedbackCount: 15,
    latestFeedback: { score: 100, tags: ['helpful', 'fast'] },
  },
  reachability_update: { ...agent, mcpReachable: true, a2aReachable: false, previousMcp: false, previousA2a: false },
  new_attestation: {
    ...agent,
    attestationUid: hash('ab'),
    attester: address('12'),
    score: 75,
    tags: ['reliable'],
  },
  agent_registered: { ...agent, name: 'NewAgent', owner: address('Ab'), hasMcp: true, hasA2a: false },
  agent_updated: { ...agent, changes: ['description', 'mcpEndpoint'] },
  classification_complete: {
    ...agent,
    skills: [{ slug: 'code_generation', name: 'Code Generation' }],
    domains: [{ slug: 'technology', name: 'Technology' }],
    confidence: 0.95,
  },
};
