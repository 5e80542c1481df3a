import { decodeUtf8 } from './encoding';
import { logEntityKey, type LogEntity } from './ports/log-erasure';

/**
 * What a stored record is to an entity: an event of it, with its id; `unreadable`, which names it and is nothing that can be
 * told; or `other`.
 */
export type RecordOfEntity =
  { readonly kind: 'event'; readonly eventId: string } | { readonly kind: 'unreadable' } | { readonly kind: 'other' };

/** Decides by the text of an event. A record that is none is `unreadable` when the entity's id is somewhere in it. */
export function recordOfEntity(value: Uint8Array, entity: LogEntity): RecordOfEntity {
  const written = readIdentity(value);
  if (written) {
    const { id, ...about } = written;
    return logEntityKey(about) === logEntityKey(entity) ? { kind: 'event', eventId: id } : { kind: 'other' };
  }
  const isNamed = spellingsOf(entity.entityId).some((spelling) => Buffer.from(value).includes(spelling));
  return { kind: isNamed ? 'unreadable' : 'other' };
}

/** How an id may stand in a record: as it is, or as JSON writes it. */
export function spellingsOf(entityId: string): readonly string[] {
  return [...new Set([entityId, JSON.stringify(entityId).slice(1, -1)])];
}

function readIdentity(value: Uint8Array): (LogEntity & { readonly id: string }) | undefined {
  let parsed: unknown;
  try {
    parsed = JSON.parse(decodeUtf8(value));
  } catch {
    return undefined;
  }
  if (typeof parsed !== 'object' || parsed === null) return undefined;
  const { id, workspaceId, family, entityId } = parsed as Record<string, unknown>;
  const isWhole = typeof id === 'string' && typeof family === 'string' && typeof entityId === 'string';
  if (!isWhole || typeof workspaceId !== 'number') return undefined;
  return { id, workspaceId, family: family as LogEntity['family'], entityId };
}
