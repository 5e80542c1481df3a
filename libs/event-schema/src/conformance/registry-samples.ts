import type { RegistryEventType } from '../registry/event-types';
import type { RegistryFeedback } from '../registry/feedback-data';
import type { AgentRegistration } from '../registry/registration-data';
import type { RegistryEventData } from '../registry/registry-data';

const hash = (byte: string) => `0x${byte.repeat(32)}`;
const address = (byte: string) => `0x${byte.repeat(20)}`;

const agent = { agentId: '11155111:1234', chainId: 11_155_111 };

/** Where the samples were found. */
export const SAMPLE_CHAIN_COORDINATES = {
  blockNumber: 7_000_000,
  blockHash: hash('b0'),
  transactionHash: hash('7a'),
  logIndex: 3,
};

const reverted = { ...agent, revertedEventId: '0190a1b2-c3d4-7e5f-8a6b-7c8d9e0f1a2b' };
const client = { clientAddress: address('c1'), feedbackIndex: '1' };
const attested = { attestationUid: hash('ab'), attester: address('12') };
const validated = { validator: address('5d'), requestHash: hash('e4') };
const transfer = { from: address('Ab'), to: address('cd') };

/** Every member that a feedback of the registry can have. */
export const SAMPLE_FEEDBACK: RegistryFeedback = {
  source: 'registry',
  ...client,
  value: '9977',
  valueDecimals: 2,
  score: 100,
  isRating: true,
  tags: ['helpful', 'fast'],
  endpoint: 'https://agent.example/mcp',
  feedbackUri: 'ipfs://bafkreigh2akiscaildc',
  feedbackHash: hash('fe'),
};

/** Every member that a registration can have. */
export const SAMPLE_REGISTRATION: AgentRegistration = {
  uri: 'https://agent.example/registration.json',
  contentHash: hash('5a'),
  readAt: 1_700_000_000_000,
  error: { code: 'not_json', message: 'The file is no JSON' },
  file: {
    name: 'NewAgent',
    description: 'Does\nthings \u0000 well 🐚',
    image: 'https://agent.example/image.png',
    active: true,
    x402Support: false,
    services: [{ name: 'MCP', endpoint: 'https://agent.example/mcp', version: '2025-06-18' }],
    mcpEndpoint: 'https://agent.example/mcp',
    a2aEndpoint: 'https://agent.example/.well-known/agent-card.json',
    supportedTrust: ['reputation'],
    declaredSkills: ['tool_interaction/code_generation'],
    declaredDomains: ['technology'],
    updatedAt: 1_700_000_000,
  },
  wallet: address('aa'),
  metadata: { agentWallet: address('aa'), 'any key': '0x', long: `0x${'0'.repeat(997)}…` },
};

/** Data of each type with every field that the registry events door shows, in the order in which it shows them. */
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
  agent_transferred: { ...agent, ...transfer },
  feedback_received: { ...agent, feedback: { ...SAMPLE_FEEDBACK, isRating: false, tags: ['uptime'] } },
  feedback_revoked: { ...agent, ...client },
  feedback_response: {
    ...agent,
    ...client,
    responder: address('d0'),
    responseUri: 'ipfs://bafkreiresponse',
    responseHash: hash('d1'),
  },
  attestation_revoked: { ...agent, ...attested },
  validation_requested: {
    ...agent,
    validator: address('5d'),
    requestUri: 'https://agent.example/request.json',
    requestHash: hash('e4'),
  },
  validation_responded: {
    ...agent,
    ...validated,
    response: 100,
    responseUri: 'https://validator.example/response.json',
    responseHash: hash('e5'),
    tag: 'tee',
  },
  agent_registration_reverted: { ...reverted, name: 'NewAgent', owner: address('Ab') },
  agent_update_reverted: { ...reverted, changes: ['description', 'mcpEndpoint'] },
  agent_transfer_reverted: { ...reverted, ...transfer },
  feedback_reverted: { ...reverted, ...client },
  feedback_revocation_reverted: { ...reverted, ...client },
  feedback_response_reverted: { ...reverted, ...client, responder: address('d0') },
  attestation_reverted: { ...reverted, ...attested },
  attestation_revocation_reverted: { ...reverted, ...attested },
  validation_request_reverted: { ...reverted, ...validated },
  validation_response_reverted: { ...reverted, ...validated },
};

const detailsOf = (type: RegistryEventType): object => {
  if (type === 'reputation_change') return { feedback: SAMPLE_FEEDBACK };
  const hasRegistration = type === 'agent_registered' || type === 'agent_updated' || type === 'agent_update_reverted';
  return hasRegistration ? { registration: SAMPLE_REGISTRATION } : {};
};

/** The same with everything that the registry events door does not show. */
export const DETAILED_REGISTRY_SAMPLES = Object.fromEntries(
  Object.entries(REGISTRY_SAMPLES).map(([type, data]) => [
    type,
    { ...data, ...detailsOf(type as RegistryEventType), chain: SAMPLE_CHAIN_COORDINATES },
  ]),
) as { readonly [T in RegistryEventType]: RegistryEventData<T> };
