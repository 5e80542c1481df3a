import {
  encodeEnvelope,
  newEventId,
  PUBLIC_WORKSPACE_ID,
  registryEventDataSchema,
  type EncodedEnvelope,
  type EventEnvelope,
  type RegistryEventData,
  type RegistryEventType,
} from '@sluice/event-schema';
import { OCCURRED_AT } from './workspace-envelope';

/** A registry event for tests, about the agent that its data names. Its data has to be what its type says. */
export function registryEnvelope<T extends RegistryEventType>(
  type: T,
  data: RegistryEventData<T>,
  overrides: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'registry',
    entityId: data.agentId,
    workspaceId: PUBLIC_WORKSPACE_ID,
    type,
    schemaVersion: 1,
    occurredAt: OCCURRED_AT,
    data: registryEventDataSchema(type).parse(data),
    ...overrides,
  });
}
