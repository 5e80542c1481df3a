import {
  encodeEnvelope,
  newEventId,
  PUBLIC_WORKSPACE_ID,
  type EncodedEnvelope,
  type EventEnvelope,
  type RegistryEventType,
  type WorkspaceEventType,
} from '@sluice/event-schema';
import { REGISTRY_SAMPLES } from '@sluice/event-schema/conformance';

type Data = Readonly<Record<string, unknown>>;

/** One of each type, with every field that the registry events door shows. */
export const REGISTRY_DATA: Readonly<Record<RegistryEventType, Data>> = REGISTRY_SAMPLES;

/** A registry event, by default about agent `11155111:1234`; its entity is the agent of its data. */
export function registryEvent(
  type: RegistryEventType = 'reputation_change',
  data: Data = {},
  over: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  const all = { ...REGISTRY_DATA[type], ...data };
  const workspaceId = PUBLIC_WORKSPACE_ID;
  return envelope({ family: 'registry', workspaceId, entityId: String(all['agentId']), type, data: all, ...over });
}

/** A registry event of another agent; its chain is that of its id. */
export function registryEventOf(agentId: string, type: RegistryEventType = 'reputation_change'): EncodedEnvelope {
  return registryEvent(type, { agentId, chainId: Number(agentId.split(':')[0]) });
}

/** A workspace event, by default of workspace 1. */
export function workspaceEvent(
  type: WorkspaceEventType = 'task_created',
  data: Data = { task_id: 't-1', title: 'New task', description: '', status: 'todo', agent_id: null },
  over: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  return envelope({ family: 'workspace', workspaceId: 1, entityId: 'task/t-1', type, data, ...over });
}

function envelope(event: Omit<EventEnvelope, 'id' | 'schemaVersion' | 'occurredAt'> & Partial<EventEnvelope>) {
  return encodeEnvelope({ id: newEventId(), schemaVersion: 1, occurredAt: Date.now(), ...event });
}
