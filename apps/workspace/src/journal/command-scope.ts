import { eventIdFromIdempotencyKey, newEventId } from '@sluice/event-schema';

/** What every command says about itself: whose it is, and by which key it can be repeated. */
export interface CommandScope {
  readonly workspaceId: number;
  /** The caller's idempotency key, made unique to the operation. A repeated command has the effect of one. */
  readonly key?: string | undefined;
  /** What the command with the key asks for, see `commandIdOf`. */
  readonly commandId?: string | undefined;
  readonly traceparent?: string | undefined;
}

/** An id of what a command with a key asks for: of a repeated command the same, of any other another one. */
export function commandIdOf(workspaceId: number, key: string, asked: unknown): string {
  const scope = { workspaceId, family: 'workspace', entityId: 'command' };
  return eventIdFromIdempotencyKey(scope, JSON.stringify([key, asked], inOneOrder));
}

/** Members of objects by name: in which order they were sent says nothing. */
function inOneOrder(_: string, value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1)));
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

/** The id of the event of a type, counted from 0, that a command with a key writes: whatever it is about. */
export function keyedEventId(workspaceId: number, key: string, type: string, ordinal: number): string {
  return eventIdFromIdempotencyKey({ workspaceId, family: 'workspace', entityId: '' }, `${key}/${type}/${ordinal}`);
}
