/** What happens in the registries of agents, as the registry events door names it. */
export const REGISTRY_EVENT_TYPES = [
  'reputation_change',
  'reachability_update',
  'new_attestation',
  'agent_registered',
  'agent_updated',
  'classification_complete',
] as const;

export type RegistryEventType = (typeof REGISTRY_EVENT_TYPES)[number];

/** The categories that a subscriber of registry events can switch on and off, with the types in each. */
export const REGISTRY_CATEGORIES = {
  reputation: ['reputation_change'],
  reachability: ['reachability_update'],
  attestations: ['new_attestation'],
  registrations: ['agent_registered', 'agent_updated'],
  classifications: ['classification_complete'],
} as const satisfies Record<string, readonly RegistryEventType[]>;

export type RegistryCategory = keyof typeof REGISTRY_CATEGORIES;
