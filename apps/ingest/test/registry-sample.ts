const TIMES_OF_HASH = 32;

const AGENT = { agentId: '11155111:1234', chainId: 11_155_111 };

/** An event of each type of the registry family, as the door takes it. */
export const REGISTRY_EVENTS = {
  reputation_change: {
    type: 'reputation_change',
    data: {
      ...AGENT,
      previousScore: 80,
      newScore: 84.5,
      feedbackCount: 15,
      latestFeedback: { score: 100, tags: ['helpful', 'fast'] },
    },
  },
  reachability_update: {
    type: 'reachability_update',
    data: { ...AGENT, mcpReachable: true, a2aReachable: false, previousMcp: false, previousA2a: false },
  },
  new_attestation: {
    type: 'new_attestation',
    data: {
      ...AGENT,
      attestationUid: `0x${'ab'.repeat(TIMES_OF_HASH)}`,
      attester: `0x${'1f'.repeat(20)}`,
      score: 75,
      tags: ['reliable'],
    },
  },
  agent_registered: {
    type: 'agent_registered',
    data: { ...AGENT, name: 'NewAgent', owner: `0x${'A0'.repeat(20)}`, hasMcp: true, hasA2a: false },
  },
  agent_updated: { type: 'agent_updated', data: { ...AGENT, changes: ['description', 'mcpEndpoint'] } },
  classification_complete: {
    type: 'classification_complete',
    data: {
      ...AGENT,
      skills: [{ slug: 'code_generation', name: 'Code Generation' }],
      domains: [{ slug: 'technology', name: 'Technology' }],
      confidence: 0.95,
    },
  },
} as const;

export const UPDATED = REGISTRY_EVENTS.agent_updated;
