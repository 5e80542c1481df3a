import type { EventData } from '../catalogue/event-type';
import type { EventEnvelope } from '../envelope';
import { workspaceDocumentName } from './event-types';

/** The forms of a workspace event on the event stream: as documented, as stored, and with its name around its data. */
export const WORKSPACE_FORMATS = ['document', 'core', 'envelope'] as const;

export type WorkspaceFormat = (typeof WORKSPACE_FORMATS)[number];

/** A workspace event in one of its forms: what it is called there, and its data. */
export interface WorkspacePayload {
  readonly name: string;
  readonly data: Readonly<Record<string, unknown>>;
}

/** Until when an outcome is waited for; it is ours alone. */
const INTERNAL_FIELD = 'deadline_at';

/**
 * The workspace dialect of an event:
 * - `document`: `TaskCreated`, with `type` before and the time (`timestamp`, ISO 8601 in UTC) after the fields;
 * - `core`: `task_created`, with the fields alone;
 * - `envelope`: `task_created`, with `{type: 'TaskCreated', data: fields}`.
 *
 * Never throws, and never changes the event.
 */
export function toWorkspacePayload(
  event: Pick<EventEnvelope, 'type' | 'data' | 'occurredAt'>,
  format: WorkspaceFormat,
): WorkspacePayload {
  const documentName = workspaceDocumentName(event.type);
  const fields = withoutInternal(event.data);
  switch (format) {
    case 'document': {
      const timestamp = new Date(event.occurredAt).toISOString();
      const { type: _type, timestamp: _timestamp, ...own } = fields;
      return { name: documentName, data: { type: documentName, ...own, timestamp } };
    }
    case 'core':
      return { name: event.type, data: fields };
    case 'envelope':
      return { name: event.type, data: { type: documentName, data: fields } };
  }
}

function withoutInternal(data: EventData): EventData {
  if (!Object.hasOwn(data, INTERNAL_FIELD)) return data;
  const { [INTERNAL_FIELD]: _deadline, ...fields } = data;
  return fields;
}
