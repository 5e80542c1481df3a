import { compileFilter } from '@sluice/event-log';
import type { RecordedEvent } from '@sluice/event-schema';
import { newLetter, type DeliveryEntry, type NewDeadLetter } from './delivery-log';
import { reachedProgress } from './retry-policy';
import { isNotice, type BlockedHead, type EndpointProgress, type EndpointState } from './webhook-endpoint';
import { toEventFilter, type WebhookFilter } from './webhook-filter';
import type { WebhookEndpointChange } from './webhook-store';

/** An endpoint after a change by its owner: the one meaning of such a change, for every store. */
export function changedEndpoint(state: EndpointState, change: WebhookEndpointChange): EndpointState {
  const { disabled: wanted, place: _, dueAt: _due, reachedAt: _reached, ...described } = change;
  const { disabled: before, ...rest } = state.endpoint;
  const disabled = wanted === undefined ? before : (wanted ?? undefined);
  const progress = changedProgress(state, change, before !== undefined && disabled === undefined);
  return {
    endpoint: { ...rest, ...present(described), ...(disabled && { disabled }), version: state.endpoint.version + 1 },
    progress,
    progressVersion: progress === state.progress ? state.progressVersion : state.progressVersion + 1,
  };
}

function changedProgress(
  { endpoint, progress }: EndpointState,
  { url, filter, place, dueAt, reachedAt, updatedAt = 0 }: WebhookEndpointChange,
  isEnabledAgain: boolean,
): EndpointProgress {
  if (place !== undefined) return { place };
  if (isEnabledAgain) return enabledProgress(progress, updatedAt);
  if (reachedAt !== undefined) return reachedProgress(progress, reachedAt);
  // What it knows of removals is for the filter by which it read.
  if (filter !== undefined && progress.place.revision !== undefined)
    progress = { ...progress, place: unknowing(progress.place) };
  const { head } = progress;
  if (head === undefined) return progress;
  if (filter !== undefined && !wants(endpoint.workspaceId, filter, head)) return withoutHead(progress);
  const isElsewhere = url !== undefined && url !== endpoint.url;
  if (!isElsewhere && filter === undefined && dueAt === undefined) return progress;
  const nextAttemptAt = dueAt ?? updatedAt;
  return { ...progress, head: { ...head, nextAttemptAt, ...(isElsewhere && { attempts: 0 }) } };
}

/** An event is found again from the place. A notice is not: its place is behind what it tells of (G5). */
function enabledProgress({ place, head }: EndpointProgress, nowMs: number): EndpointProgress {
  if (head === undefined || !isNotice(head.subject)) return { place };
  return { place, head: { ...head, attempts: 0, nextAttemptAt: nowMs } };
}

/** The notice of a reset is for whatever filter. */
function wants(workspaceId: number, filter: WebhookFilter, { subject }: BlockedHead): boolean {
  // A filter asks for no more of an event than what is kept of this one.
  return isNotice(subject) || compileFilter(toEventFilter(workspaceId, filter))(subject as RecordedEvent);
}

function unknowing({ revision: _, ...place }: EndpointProgress['place']): EndpointProgress['place'] {
  return place;
}

function withoutHead({ head: _, ...progress }: EndpointProgress): EndpointProgress {
  return progress;
}

/** What follows where the event that is not through is not waited for any more. Undefined where there is none. */
export function skippedHead(
  { progress }: EndpointState,
  at: number,
): { entry: DeliveryEntry; deadLetter: NewDeadLetter; progress: EndpointProgress } | undefined {
  const { head, place } = progress;
  if (head === undefined) return undefined;
  const deadLetter = newLetter(head);
  const { eventId, eventType, position } = deadLetter;
  return {
    entry: { kind: 'event', outcome: 'dead', at, eventId, eventType, position, error: 'skipped' },
    deadLetter,
    progress: { ...withoutHead(progress), place: { ...place, position: head.position } },
  };
}

function present<T extends object>(values: T): T {
  return Object.fromEntries(Object.entries(values).filter(([, value]) => value !== undefined)) as T;
}
