import {
  PUBLIC_WORKSPACE_ID,
  REGISTRY_EVENT_TYPES,
  registryEventDataSchema,
  timestampMsSchema,
  type RegistryEventType,
} from '@sluice/event-schema';
import { z } from 'zod';
import type { EventDraft } from '../store-events';
import {
  check,
  draftsFromBody,
  idempotencyKeySchema,
  toDraft,
  type DraftsOfRequest,
  type RequestContext,
} from './event-drafts';

const eventOf = <T extends RegistryEventType>(type: T) =>
  z.strictObject({
    type: z.literal(type),
    data: registryEventDataSchema(type),
    timestamp: timestampMsSchema.optional(),
    idempotencyKey: idempotencyKeySchema.optional(),
  });

const [firstType, ...otherTypes] = REGISTRY_EVENT_TYPES;

/** One event as operators send it. Its agent is that of its data, and its workspace the public one. */
export const registryEventInputSchema = z.discriminatedUnion('type', [
  eventOf(firstType),
  ...otherTypes.map((type) => eventOf(type)),
]);

/**
 * The events of a request: one event, or `{events:[…]}`.
 * @throws SluiceError `invalid_event` that names the first fault, `payload_too_large`
 */
export function draftsFromRegistry(body: unknown, context: RequestContext): DraftsOfRequest {
  return draftsFromBody(body, context, draftFromRegistry);
}

function draftFromRegistry(
  value: unknown,
  context: RequestContext,
  where: string,
  requestKey: string | undefined,
): EventDraft {
  const event = check(registryEventInputSchema, value, where);
  return toDraft(where, {
    family: 'registry',
    workspaceId: PUBLIC_WORKSPACE_ID,
    entityId: event.data.agentId,
    type: event.type,
    data: event.data,
    occurredAt: event.timestamp ?? context.nowMs,
    key: event.idempotencyKey ?? requestKey,
    traceparent: context.traceparent,
  });
}
