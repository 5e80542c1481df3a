import { z } from 'zod';
import {
  entityIdSchema,
  eventDataSchema,
  eventIdSchema,
  eventTypeSchema,
  timestampMsSchema,
  workspaceIdSchema,
} from '../envelope';
import type { EventEnvelope } from '../envelope';

/** A sandbox event as the sandbox events clients see it, by HTTP and by TCP. */
export const sandboxEventSchema = z.object({
  id: eventIdSchema,
  sandboxId: entityIdSchema,
  workspaceId: workspaceIdSchema,
  type: eventTypeSchema,
  data: eventDataSchema,
  timestamp: timestampMsSchema.meta({ description: 'When it happened, in milliseconds since 1970.' }),
});

export type SandboxEvent = z.infer<typeof sandboxEventSchema>;

/** The sandbox dialect of an event. */
export function toSandboxEvent(event: EventEnvelope): SandboxEvent {
  return {
    id: event.id,
    sandboxId: event.entityId,
    workspaceId: event.workspaceId,
    type: event.type,
    data: event.data,
    timestamp: event.occurredAt,
  };
}
