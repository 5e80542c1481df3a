import { authorise, type Principal } from '@sluice/access';
import { SluiceError } from '@sluice/event-log';
import {
  entityIdSchema,
  eventCatalogue,
  eventDataSchema,
  eventEnvelopeSchema,
  eventIdFromIdempotencyKey,
  eventTypeSchema,
  MAX_BATCH_EVENTS,
  newEventId,
  PUBLIC_WORKSPACE_ID,
  safeNameSchema,
  timestampMsSchema,
  workspaceIdSchema,
  type EventFamily,
} from '@sluice/event-schema';
import { z } from 'zod';
import type { EventDraft } from '../store-events';

/** Longest idempotency key, in characters. */
const MAX_KEY_LENGTH = 256;

export const idempotencyKeySchema = z.string().min(1).max(MAX_KEY_LENGTH);

/** One event as the sandbox clients send it; all but `type` and `data` goes beyond the seed. */
export const nativeEventSchema = z.strictObject({
  type: eventTypeSchema,
  data: eventDataSchema.optional(),
  sandboxId: entityIdSchema.optional(),
  workspaceId: workspaceIdSchema.optional(),
  timestamp: timestampMsSchema.optional(),
  idempotencyKey: idempotencyKeySchema.optional(),
  correlationId: safeNameSchema.optional(),
  causationId: safeNameSchema.optional(),
});

type NativeEvent = z.infer<typeof nativeEventSchema>;

const batchSchema = z.strictObject({ events: z.array(z.unknown()).min(1) });

/** What a request says about all of its events. */
export interface RequestContext {
  readonly principal: Principal;
  readonly nowMs: number;
  readonly idempotencyKey?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** The drafts of one request, and whether it was a batch. */
export interface DraftsOfRequest {
  readonly drafts: readonly EventDraft[];
  readonly batch: boolean;
}

/** Reads one event of a request. `where` names it in errors; `requestKey` is its key if it has none of its own. */
type ReadEvent = (value: unknown, context: RequestContext, where: string, requestKey: string | undefined) => EventDraft;

/** The events of a native request of sandbox events. */
export function draftsFromNative(body: unknown, context: RequestContext): DraftsOfRequest {
  return draftsFromBody(body, context, draftFromNative);
}

/** The events of a body that is one event, or `{events:[…]}`. */
export function draftsFromBody(body: unknown, context: RequestContext, read: ReadEvent): DraftsOfRequest {
  if (typeof body !== 'object' || body === null || Array.isArray(body)) {
    throw new SluiceError('invalid_event', 'The body must be one event or {"events":[…]}', { where: 'body' });
  }
  const { idempotencyKey } = context;
  if (!Object.hasOwn(body, 'events')) return { drafts: [read(body, context, '', idempotencyKey)], batch: false };
  const { events } = check(batchSchema, body, '');
  assertBatchSize(events.length);
  const drafts = events.map((event, index) =>
    // Each event of a keyed batch has a key of its own, by its place.
    read(event, context, `events[${index}]`, idempotencyKey === undefined ? undefined : `${idempotencyKey}/${index}`),
  );
  return { drafts, batch: true };
}

export function assertBatchSize(size: number): void {
  if (size > MAX_BATCH_EVENTS) {
    throw new SluiceError('payload_too_large', `A batch has at most ${MAX_BATCH_EVENTS} events`, { where: 'events' });
  }
}

function draftFromNative(
  value: unknown,
  context: RequestContext,
  where: string,
  requestKey: string | undefined,
): EventDraft {
  const event: NativeEvent = check(nativeEventSchema, value, where);
  const { workspaceId, entityId } = target(context.principal, event, where);
  return toDraft(where, {
    family: 'sandbox',
    workspaceId,
    entityId,
    type: event.type,
    data: event.data ?? {},
    occurredAt: event.timestamp ?? context.nowMs,
    key: event.idempotencyKey ?? requestKey,
    correlationId: event.correlationId,
    causationId: event.causationId,
    traceparent: context.traceparent,
  });
}

/** Where an event goes: a sandbox writes about itself, the holder of a key says about which sandbox. */
export function target(
  principal: Principal,
  named: { readonly sandboxId?: string | undefined; readonly workspaceId?: number | undefined },
  where: string,
): { workspaceId: number; entityId: string } {
  const entityId = named.sandboxId ?? (principal.kind === 'sandbox' ? principal.sandboxId : undefined);
  const workspaceId = named.workspaceId ?? principal.workspaceId ?? undefined;
  if (workspaceId === undefined) throw missing(where, 'workspaceId');
  if (entityId === undefined) throw missing(where, 'sandboxId');
  authorise(principal, 'append', { workspaceId, family: 'sandbox', entityId });
  if (workspaceId === PUBLIC_WORKSPACE_ID) {
    // Everybody reads there, so nobody's sandbox may be there by mistake.
    const message = `Workspace ${PUBLIC_WORKSPACE_ID} is public: it has registry events only`;
    throw new SluiceError('invalid_event', message, { where: join(where, 'workspaceId') });
  }
  return { workspaceId, entityId };
}

function missing(where: string, field: string): SluiceError {
  return new SluiceError('invalid_event', `${field} is required with these credentials`, { where: join(where, field) });
}

/** The parts of an event, validated. */
export interface DraftParts {
  readonly family: EventFamily;
  readonly workspaceId: number;
  readonly entityId: string;
  readonly type: string;
  readonly data: Record<string, unknown>;
  readonly occurredAt: number;
  readonly key: string | undefined;
  readonly correlationId?: string | undefined;
  readonly causationId?: string | undefined;
  readonly traceparent: string | undefined;
}

/** A draft of the parts. Checked as a whole: what is acknowledged must never be parked by the projector. */
export function toDraft(where: string, parts: DraftParts): EventDraft {
  const { key, ...fields } = parts;
  const { family, workspaceId, entityId } = parts;
  const scope = { workspaceId, family, entityId };
  const envelope = check(
    eventEnvelopeSchema,
    {
      ...fields,
      id: key === undefined ? newEventId() : eventIdFromIdempotencyKey(scope, key),
      schemaVersion: eventCatalogue.currentVersion(family, parts.type),
    },
    where,
  );
  check(eventCatalogue.dataSchema(family, envelope.type), envelope.data, join(where, 'data'));
  return { envelope, keyed: key !== undefined, where: where === '' ? 'body' : where };
}

/** @throws SluiceError `invalid_event` that names the first fault. */
export function check<T>(schema: z.ZodType<T>, value: unknown, where: string): T {
  const parsed = schema.safeParse(value);
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  const path = (issue?.path ?? []).reduce<string>(
    (text, part) => (typeof part === 'number' ? `${text}[${part}]` : join(text, String(part))),
    where,
  );
  throw new SluiceError('invalid_event', issue?.message ?? 'Invalid event', { where: path === '' ? 'body' : path });
}

export const join = (where: string, field: string) => (where === '' ? field : `${where}.${field}`);
