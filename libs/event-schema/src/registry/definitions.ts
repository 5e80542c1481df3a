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
  agent_transferred: 'An agent has another owner.',
  feedback_received: 'Feedback about an agent was given that does not count for its score.',
  feedback_revoked: 'Feedback about an agent was revoked by who gave it.',
  feedback_response: 'Somebody responded to feedback about an agent.',
  attestation_revoked: 'An attestation about an agent was revoked.',
  validation_requested: 'A validator was asked to validate work of an agent.',
  validation_responded: 'A validator said how it judges work of an agent.',
  agent_registration_reverted: 'The registration of an agent is no longer on its chain: there is no such agent.',
  agent_update_reverted: 'An update of an agent is no longer on its chain: it is as it was before.',
  agent_transfer_reverted: 'A transfer of an agent is no longer on its chain: `from` is its owner again.',
  feedback_reverted: 'Feedback about an agent is no longer on its chain.',
  feedback_revocation_reverted: 'A revocation of feedback is no longer on its chain: the feedback counts again.',
  feedback_response_reverted: 'A response to feedback is no longer on its chain.',
  attestation_reverted: 'An attestation about an agent is no longer on its chain.',
  attestation_revocation_reverted: 'A revocation of an attestation is no longer on its chain: it counts again.',
  validation_request_reverted: 'A request for a validation is no longer on its chain.',
  validation_response_reverted: 'A response of a validator is no longer on its chain.',
};

export const registryEventTypes: readonly EventTypeDefinition[] = REGISTRY_EVENT_TYPES.map((type) =>
  defineEventType<RegistryEventData>(
    { family: 'registry', type, description: DESCRIPTIONS[type] },
    registryEventDataSchema(type),
  ),
);
