import type { EventEnvelope } from '../envelope';
import { EVENT_FAMILIES, type EventFamily } from '../family';

/** CloudEvents source of an entity: `/{family}/{workspaceId}/{entityId}` (the last part percent-encoded). */
export function cloudEventSource(event: Pick<EventEnvelope, 'family' | 'workspaceId' | 'entityId'>): string {
  return `/${event.family}/${event.workspaceId}/${encodeURIComponent(event.entityId)}`;
}

export interface CloudEventOrigin {
  readonly family: EventFamily;
  readonly workspaceId: number;
  readonly entityId: string;
}

/**
 * Reads a source of the form that `cloudEventSource` writes; undefined for any other source. The parts are decoded, not
 * validated: the workspace may be out of bounds and the entity id may be no safe name.
 */
export function parseCloudEventSource(source: string): CloudEventOrigin | undefined {
  const match = /^\/([a-z]+)\/(0|[1-9]\d{0,9})\/([^/]+)$/.exec(source);
  const family = EVENT_FAMILIES.find((name) => name === match?.[1]);
  if (!match?.[2] || !match[3] || !family) return undefined;
  try {
    return { family, workspaceId: Number(match[2]), entityId: decodeURIComponent(match[3]) };
  } catch {
    return undefined;
  }
}
