import { SluiceError } from '@sluice/event-log';
import { cloudEventSchema, entityIdSchema, parseCloudEventSource, timestampMsSchema } from '@sluice/event-schema';
import type { EventDraft } from '../store-events';
import { assertBatchSize, check, join, target, toDraft, type RequestContext } from './event-drafts';

/** The events of a CloudEvents batch. */
export function draftsFromCloudEvents(body: unknown, context: RequestContext): EventDraft[] {
  if (!Array.isArray(body) || body.length === 0) {
    throw new SluiceError('invalid_event', 'The body must be an array of CloudEvents', { where: 'body' });
  }
  assertBatchSize(body.length);
  return body.map((event, index) => draftFromCloudEvent(event, context, `events[${index}]`));
}

/**
 * One CloudEvent. Its identity is source and id, as the specification says, within the workspace of the caller. The
 * sandbox is that of a source which Sluice wrote, else the subject, else the sandbox that is calling.
 */
export function draftFromCloudEvent(value: unknown, context: RequestContext, where = ''): EventDraft {
  const event = check(cloudEventSchema, value, where);
  const origin = parseCloudEventSource(event.source);
  if (origin && origin.family !== 'sandbox') {
    throw new SluiceError('invalid_event', 'Only sandbox events are accepted here', { where: join(where, 'source') });
  }
  const sandboxId =
    origin?.entityId ?? (event.subject === undefined || event.subject === '' ? undefined : event.subject);
  if (sandboxId !== undefined) check(entityIdSchema, sandboxId, join(where, origin ? 'source' : 'subject'));
  const { workspaceId, entityId } = target(context.principal, { sandboxId, workspaceId: origin?.workspaceId }, where);
  return toDraft(where, {
    family: 'sandbox',
    workspaceId,
    entityId,
    type: event.type,
    data: event.data ?? {},
    occurredAt:
      event.time === undefined ? context.nowMs : check(timestampMsSchema, Date.parse(event.time), join(where, 'time')),
    key: JSON.stringify([event.source, event.id]),
    correlationId: event.correlationid,
    causationId: event.causationid,
    traceparent: event.traceparent ?? context.traceparent,
  });
}
