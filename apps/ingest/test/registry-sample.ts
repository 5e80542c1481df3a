import { REGISTRY_EVENT_TYPES, type RegistryEventType } from '@sluice/event-schema';
import { DETAILED_REGISTRY_SAMPLES } from '@sluice/event-schema/conformance';

/** An event of this type with all that it may have, as the door takes it. */
export const registryEvent = <T extends RegistryEventType>(type: T) => ({
  type,
  data: DETAILED_REGISTRY_SAMPLES[type],
});

export const REGISTRY_EVENTS = REGISTRY_EVENT_TYPES.map((type) => registryEvent(type));

export const UPDATED = {
  type: 'agent_updated',
  data: { agentId: '11155111:1234', chainId: 11_155_111, changes: ['description', 'mcpEndpoint'] },
} as const;
