import { HEARTBEAT_SECONDS } from './registry-values';

const { min, max, default: usual } = HEARTBEAT_SECONDS;

/** What `GET /api/v1/events/info` answers, as documented. */
export const registryInfo = {
  success: true,
  data: {
    description: 'Real-time events via Server-Sent Events (SSE)',
    endpoint: '/api/v1/events',
    eventTypes: [
      { type: 'connected', description: 'Initial connection confirmation with subscription details' },
      { type: 'heartbeat', description: 'Periodic heartbeat to keep connection alive' },
      { type: 'reputation_change', description: 'Agent reputation score changed due to feedback' },
      { type: 'reachability_update', description: 'Agent MCP/A2A endpoint reachability changed' },
      { type: 'new_attestation', description: 'New EAS attestation received for an agent' },
      { type: 'agent_registered', description: 'New agent registered on the blockchain' },
      { type: 'agent_updated', description: 'Agent data updated on the blockchain' },
      { type: 'classification_complete', description: 'Agent OASF classification completed by LLM' },
    ],
    filters: {
      agentIds: 'Comma-separated list of agent IDs',
      chainIds: 'Comma-separated list of chain IDs',
      eventTypes: 'Comma-separated list of event types to subscribe to',
      reputation: 'Enable/disable reputation events (true/false)',
      reachability: 'Enable/disable reachability events (true/false)',
      attestations: 'Enable/disable attestation events (true/false)',
      registrations: 'Enable/disable registration events (true/false)',
      classifications: 'Enable/disable classification events (true/false)',
      heartbeat: `Heartbeat interval in seconds (${min}-${max}, default: ${usual})`,
    },
    example: {
      url: '/api/v1/events?chainIds=11155111&reputation=true&reachability=true',
      description: 'Subscribe to reputation and reachability events on Sepolia chain',
    },
    notes: [
      'Connections automatically close after 1 hour (max duration)',
      `Heartbeat events are sent every ${usual} seconds by default`,
      'All event data is JSON-formatted in the SSE data field',
      'Use EventSource API in browsers or SSE client libraries',
    ],
  },
} as const;
