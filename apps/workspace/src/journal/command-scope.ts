import { eventIdFromIdempotencyKey, newEventId } from '@sluice/event-schema';

/** What every command says about itself: whose it is, and by which key it can be repeated. */
export interface CommandScope {
  readonly workspaceId: number;
  /** The caller's idempotency key, made unique to the operation. A repeated command has the effect of one. */
  readonly key?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** A new id such as `task-…`; a repeated command gives the same one. */
export function newObjectId({ workspaceId, key }: CommandScope, prefix: string): string {
  const id =
    key === undefined
      ? newEventId()
      : eventIdFromIdempotencyKey({ workspaceId, family: 'workspace', entityId: prefix }, key);
  return `${prefix}-${id}`;
}

/** The id of an event that at most one writer gets to write: `what` names it among those of its entity. */
export function derivedEventId(workspaceId: number, entityId: string, what: string): string {
  return eventIdFromIdempotencyKey({ workspaceId, family: 'workspace', entityId }, `workspace-app/${what}`);
}
