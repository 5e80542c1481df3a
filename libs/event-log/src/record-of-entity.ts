import { decodeUtf8 } from './encoding';
import { logEntityKey } from './ports/log-erasure';
import type { EntityRef } from './ports/removed-events';
import { readSealedHeader } from './sealed-header';

/**
 * Whether a record that may be no event is to go with an entity: it says that it is about it, or says of nothing what it is
 * about and has the entity's id in it.
 */
export function isRecordOf(entity: EntityRef, value: Uint8Array): boolean {
  const header = readSealedHeader(value);
  if (header) return logEntityKey(header.entity) === logEntityKey(entity);
  let text: string;
  try {
    text = decodeUtf8(value);
  } catch {
    return Buffer.from(value).includes(entity.entityId);
  }
  const named = namedIn(text);
  if (named === undefined) return text.includes(entity.entityId) || text.includes(inJson(entity.entityId));
  const { entityId, family, workspaceId } = named;
  return (
    entityId === entity.entityId &&
    (typeof family !== 'string' || family === entity.family) &&
    (typeof workspaceId !== 'number' || workspaceId === entity.workspaceId)
  );
}

/** The members of an object that names an entity. */
function namedIn(text: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value !== 'object' || value === null || !('entityId' in value)) return undefined;
    return typeof value.entityId === 'string' ? { ...value } : undefined;
  } catch {
    return undefined;
  }
}

const inJson = (id: string) => JSON.stringify(id).slice(1, -1);
