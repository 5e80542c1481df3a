import { defineEventType, type EventTypeDefinition } from '../catalogue/event-type';
import { REGISTRY_EVENT_TYPES, type RegistryEventType } from './event-types';
import { registryEventDataSchema, type RegistryEventData } from './registry-data';

const DESCRIPTIONS: Record<RegistryEventType, string> = {
  reputation_change: 'The reputation score of an agent changed due to feedback.',
  reachability_update: 'The reachability of an agent by MCP or A2A changed.',
  new_attestation: 'An attestation about an agent was received.',
  agent_registered: 'An agent was registered on its chain.',
  agent_updated: 'The data of an agent changed on its chain.',
  classification_complete: 'The classification of an agent by skills and domains ended.',
};

export const registryEventTypes: readonly EventTypeDefinition[] = REGISTRY_EVENT_TYPES.map((type) =>
  defineEventType<RegistryEventData>(
    { family: 'registry', type, description: DESCRIPTIONS[type] },
    registryEventDataSchema(type),
  ),
);
