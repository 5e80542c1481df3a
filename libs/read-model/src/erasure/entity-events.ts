import type { EntityRef } from '@sluice/event-log';
import type { EncodedEnvelope, EventEnvelope } from '@sluice/event-schema';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import type { StoredEventRow } from '../stored-event';

/** Most events, and bytes of envelopes, of one page; one event may be larger. */
export const PAGE_EVENTS = 500;
export const PAGE_BYTES = 4 * 1024 * 1024;

/** An event as it is stored. */
export interface EntityEvent {
  readonly position: number;
  readonly row: StoredEventRow;
  readonly envelope: EncodedEnvelope;
}

/** The rows of an entity's events. */
export function ofEntity({ workspaceId, family, entityId }: EntityRef): Prisma.Sql {
  return Prisma.sql`workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}`;
}

/** Positions and sizes of an entity's events up to a position: candidates for `firstWithin`. */
export function eventsOf(entity: EntityRef, upTo: number): Prisma.Sql {
  return Prisma.sql`
    SELECT position, octet_length(envelope) AS bytes FROM read_model.recorded_events
    WHERE ${ofEntity(entity)} AND position <= ${BigInt(upTo)}::bigint ORDER BY position`;
}

/** The events of an entity after a position and up to one, in their order: a page, empty at the end. */
export async function readEntityEvents(
  queries: Queries,
  entity: EntityRef,
  after: number,
  upTo = Number.MAX_SAFE_INTEGER,
): Promise<readonly EntityEvent[]> {
  const rows = await queries.$queryRaw<StoredEventRow[]>`
    SELECT position, entity_sequence, recorded_at, envelope
    FROM (
      SELECT *, sum(octet_length(envelope)) OVER (ORDER BY position) AS bytes_to_here
      FROM (
        SELECT position, entity_sequence, recorded_at, envelope FROM read_model.recorded_events
        WHERE ${ofEntity(entity)} AND position > ${BigInt(after)}::bigint AND position <= ${BigInt(upTo)}::bigint
        ORDER BY position LIMIT ${PAGE_EVENTS}
      ) AS candidates
    ) AS measured
    WHERE bytes_to_here <= ${BigInt(PAGE_BYTES)}::bigint OR bytes_to_here = octet_length(envelope)
    ORDER BY position`;
  return rows.map((row) => ({
    position: Number(row.position),
    row,
    envelope: { event: JSON.parse(row.envelope) as EventEnvelope, json: row.envelope },
  }));
}

/** All of them, page by page. */
export async function* pagesOfEntity(
  queries: Queries,
  entity: EntityRef,
  after = 0,
  upTo?: number,
): AsyncGenerator<readonly EntityEvent[]> {
  for (let from = after; ;) {
    const page = await readEntityEvents(queries, entity, from, upTo);
    const last = page.at(-1);
    if (!last) return;
    yield page;
    from = last.position;
  }
}
