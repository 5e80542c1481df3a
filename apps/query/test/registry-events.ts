import {
  encodeEnvelope,
  newEventId,
  PUBLIC_WORKSPACE_ID,
  type EncodedEnvelope,
  type EventEnvelope,
  type RegistryEventData,
  type RegistryEventType,
} from '@sluice/event-schema';
import { REGISTRY_SAMPLES } from '@sluice/event-schema/conformance';

/** A registry event about an agent, with the data of the sample where it says nothing else. */
export function registryEvent<T extends RegistryEventType>(
  type: T,
  agentId: string,
  data: Partial<RegistryEventData<T>> = {},
  over: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'registry',
    entityId: agentId,
    workspaceId: PUBLIC_WORKSPACE_ID,
    type,
    schemaVersion: 1,
    occurredAt: 1_700_000_000_000,
    data: { ...REGISTRY_SAMPLES[type], ...data, agentId, chainId: Number(agentId.split(':')[0]) },
    ...over,
  });
}
