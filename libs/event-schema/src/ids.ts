import { parse as parseUuid, v5 as uuidV5, v7 as uuidV7 } from 'uuid';

/** Namespace of ids that are derived from idempotency keys. Changing it would let old keys be stored twice. */
const IDEMPOTENCY_NAMESPACE = '5a1c1d4e-0b52-4a57-9d0e-6c6f8c2a9b11';

/** The library takes bytes too; of texts it would make them anew for each id, and slowly. */
const NAMESPACE_BYTES = parseUuid(IDEMPOTENCY_NAMESPACE);
const utf8 = new TextEncoder();

/** A new event id: UUIDv7, so ids of one process sort by the time they were made. */
export function newEventId(): string {
  return uuidV7();
}

/** The scope in which an idempotency key means one event: two workspaces, or two entities, never share a key. */
export interface IdempotencyScope {
  readonly workspaceId: number;
  readonly family: string;
  readonly entityId: string;
}

/** The event id that belongs to an idempotency key: the same scope and key always give the same id (UUIDv5). */
export function eventIdFromIdempotencyKey(scope: IdempotencyScope, key: string): string {
  // Half of a surrogate pair is escaped in JSON, so nothing is lost in UTF-8.
  const name = JSON.stringify([scope.workspaceId, scope.family, scope.entityId, key]);
  return uuidV5(utf8.encode(name), NAMESPACE_BYTES);
}
