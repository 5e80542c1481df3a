import type { EventFilter } from '@sluice/event-log';
import { entityIdSchema, eventFamilySchema, eventTypeSchema, PUBLIC_WORKSPACE_ID } from '@sluice/event-schema';
import { z } from 'zod';

/** Most values of one field of a filter. */
export const MAX_FILTER_VALUES = 100;

const listOf = <S extends z.ZodType>(schema: S) =>
  z.array(schema).min(1, 'must name at least one').max(MAX_FILTER_VALUES, `must name at most ${MAX_FILTER_VALUES}`);

/**
 * Which events an endpoint is told of. Fields are combined by AND, the values of one by OR; an absent field means any.
 * Registry events are public, and are told only where their family is named.
 */
export const webhookFilterSchema = z
  .strictObject({
    families: listOf(eventFamilySchema),
    entityIds: listOf(entityIdSchema),
    types: listOf(eventTypeSchema).meta({ description: 'Exact types, or prefixes followed by `.*`.' }),
  })
  .partial();

export type WebhookFilter = z.infer<typeof webhookFilterSchema>;

/** What an endpoint of a workspace sees: events of that workspace, and the public registry where it asks for it (G8). */
export function toEventFilter(workspaceId: number, { families, entityIds, types }: WebhookFilter): EventFilter {
  const workspaceIds = (families ?? [undefined]).map((family) =>
    family === 'registry' ? PUBLIC_WORKSPACE_ID : workspaceId,
  );
  return {
    workspaceIds: [...new Set(workspaceIds)],
    ...(families && { families }),
    ...(entityIds && { entityIds }),
    ...(types && { types }),
  };
}
