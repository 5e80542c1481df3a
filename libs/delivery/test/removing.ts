import type { RetentionScope } from '@sluice/event-log';
import { removeOldest } from '@sluice/event-log/conformance';
import type { Position } from '@sluice/event-schema';
import type { World } from './world';

/** Retention removes the next events of a family, at most so many. */
export function retire({ reader }: World, maxEvents: number, scope?: Partial<RetentionScope>): Promise<void> {
  return removeOldest(reader.model.retention, maxEvents, scope);
}

/** An operator erases the first events of an entity. */
export async function erase(
  { reader }: World,
  workspaceId: number,
  entityId: string,
  maxEvents = 1_000,
): Promise<void> {
  const upTo = Number.MAX_SAFE_INTEGER as Position;
  const bounds = { maxEvents, maxBytes: 1_000_000 };
  await reader.model.removed.removeOfEntity({ workspaceId, family: 'sandbox', entityId }, upTo, bounds);
}
