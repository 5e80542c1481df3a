import type { JournalledKey, LogEntity } from '@sluice/event-log';

/** A key as the database has it; without `key` it is destroyed. */
export interface EntityKeyRow {
  readonly key_id: string;
  readonly workspace_id: number;
  readonly family: string;
  readonly entity_id: string;
  readonly generation: number;
  readonly key: Buffer | null;
}

export function entityOf(row: Pick<EntityKeyRow, 'workspace_id' | 'family' | 'entity_id'>): LogEntity {
  return { workspaceId: row.workspace_id, family: row.family as LogEntity['family'], entityId: row.entity_id };
}

export function toJournalledKey(row: EntityKeyRow): JournalledKey {
  const { key_id: keyId, generation, key } = row;
  return { keyId, entity: entityOf(row), generation, ...(key === null ? {} : { key }) };
}

/** Entities as the columns of an `unnest`. */
export function columnsOf(entities: readonly LogEntity[]) {
  return {
    workspaceIds: entities.map(({ workspaceId }) => workspaceId),
    families: entities.map(({ family }) => family),
    entityIds: entities.map(({ entityId }) => entityId),
  };
}
