import {
  encodeEnvelope,
  newEventId,
  workspaceEntityId,
  workspaceEventDataSchema,
  type EncodedEnvelope,
  type EventEnvelope,
  type WorkspaceEntityKind,
  type WorkspaceEventData,
  type WorkspaceEventType,
} from '@sluice/event-schema';

/** When the events of tests occur unless they say otherwise, in milliseconds since 1970. */
export const OCCURRED_AT = 1_700_000_000_000;

/** A workspace event for tests, about the entity that its data names. Its data has to be what its type says. */
export function workspaceEnvelope<T extends WorkspaceEventType>(
  type: T,
  data: WorkspaceEventData<T>,
  overrides: Partial<EventEnvelope> = {},
): EncodedEnvelope {
  return encodeEnvelope({
    id: newEventId(),
    family: 'workspace',
    entityId: entityIdOf(data),
    workspaceId: 1,
    type,
    schemaVersion: 1,
    occurredAt: OCCURRED_AT,
    data: workspaceEventDataSchema(type).parse(data),
    ...overrides,
  });
}

/** The field that names the entity, the first that is there. */
const NAMED_BY: readonly (readonly [field: string, kind: WorkspaceEntityKind])[] = [
  ['task_id', 'task'],
  ['group_chat_id', 'group'],
  ['session_id', 'session'],
  ['job_id', 'cron'],
];

function entityIdOf(data: Readonly<Record<string, unknown>>): string {
  for (const [field, kind] of NAMED_BY) if (field in data) return workspaceEntityId(kind, String(data[field]));
  const { id } = data['job'] as { readonly id: string };
  return workspaceEntityId('cron', id);
}
