/** What happens in the registries of agents, as the document of the registry events door names it. */
export const DOCUMENTED_REGISTRY_EVENT_TYPES = [
  'reputation_change',
  'reachability_update',
  'new_attestation',
  'agent_registered',
  'agent_updated',
  'classification_complete',
] as const;

/** All that happens in the registries of agents: what the document names, what it does not, and what takes such events back. */
export const REGISTRY_EVENT_TYPES = [
  ...DOCUMENTED_REGISTRY_EVENT_TYPES,
  'agent_transferred',
  'feedback_received',
  'feedback_revoked',
  'feedback_response',
  'attestation_revoked',
  'validation_requested',
  'validation_responded',
  'agent_registration_reverted',
  'agent_update_reverted',
  'agent_transfer_reverted',
  'feedback_reverted',
  'feedback_revocation_reverted',
  'feedback_response_reverted',
  'attestation_reverted',
  'attestation_revocation_reverted',
  'validation_request_reverted',
  'validation_response_reverted',
] as const;

export type DocumentedRegistryEventType = (typeof DOCUMENTED_REGISTRY_EVENT_TYPES)[number];
export type RegistryEventType = (typeof REGISTRY_EVENT_TYPES)[number];

/** The categories that a subscriber of registry events can switch on and off, with the types in each. */
export const REGISTRY_CATEGORIES = {
  reputation: [
    'reputation_change',
    'feedback_received',
    'feedback_revoked',
    'feedback_response',
    'feedback_reverted',
    'feedback_revocation_reverted',
    'feedback_response_reverted',
  ],
  reachability: ['reachability_update'],
  attestations: ['new_attestation', 'attestation_revoked', 'attestation_reverted', 'attestation_revocation_reverted'],
  registrations: [
    'agent_registered',
    'agent_updated',
    'agent_transferred',
    'agent_registration_reverted',
    'agent_update_reverted',
    'agent_transfer_reverted',
  ],
  classifications: ['classification_complete'],
  validations: [
    'validation_requested',
    'validation_responded',
    'validation_request_reverted',
    'validation_response_reverted',
  ],
} as const satisfies Record<string, readonly RegistryEventType[]>;

export type RegistryCategory = keyof typeof REGISTRY_CATEGORIES;
