import { currentRecordedEvent, toPosition } from '@sluice/event-log';
import type { EventEnvelope } from '@sluice/event-schema';
import { mergeChanges, type Change } from '@sluice/projections';
import { applyChanges } from '../apply-changes';
import type { Queries } from '../database';
import { Prisma } from '../generated/client';
import type { ProjectEvent } from '../record-transaction';
import { REMOVED_COLUMNS } from '../retention/remove-events';
import type { StoredEventRow } from '../stored-event';
import { LIVE, NEXT } from './model-schemas';

/** Most events, and bytes of envelopes, of one transaction; one event may be larger. */
const MAX_EVENTS = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;

export interface Projected {
  /** How many events were taken, and the position of the last one. */
  readonly events: number;
  readonly upTo: number;
  /** How many of them are without effect: a projection rejected them, or nobody has their text any more. */
  readonly leftOut: number;
}

/** An event, or a removed one of which nobody has the text. */
type KeptRow = Omit<StoredEventRow, 'envelope'> & { readonly envelope: string | null };

/**
 * Projects the events of the model beside that follow a position without a hole. They have their positions already, so that
 * nothing depends on the order in which the lanes of the log were read.
 */
export async function projectKept(queries: Queries, after: number, project: ProjectEvent): Promise<Projected> {
  const rows = contiguous(await readAfter(queries, after), after);
  if (rows.length === 0) return { events: 0, upTo: after, leftOut: 0 };
  const upTo = after + rows.length;
  const changes: Change[] = [];
  let leftOut = 0;
  for (const row of rows) {
    if (row.envelope === null) {
      leftOut++;
      continue;
    }
    try {
      const { event } = currentRecordedEvent(
        { event: JSON.parse(row.envelope) as EventEnvelope, json: row.envelope },
        {
          position: toPosition(Number(row.position)),
          entitySequence: Number(row.entity_sequence),
          recordedAt: Number(row.recorded_at),
        },
      );
      changes.push(...project(event));
    } catch {
      // It has its position, and subscribers have seen it: it cannot be parked any more.
      leftOut++;
    }
  }
  await countEntities(queries, after, upTo);
  await applyChanges(queries, mergeChanges(changes), NEXT);
  await removeAgain(queries, after, upTo);
  return { events: rows.length, upTo, leftOut };
}

function readAfter(queries: Queries, after: number): Promise<readonly KeptRow[]> {
  const inRange = between(after, after + MAX_EVENTS);
  return queries.$queryRaw<KeptRow[]>`
    SELECT position, entity_sequence, recorded_at, envelope
    FROM (
      SELECT *, sum(coalesce(octet_length(envelope), 0)) OVER (ORDER BY position) AS bytes_to_here
      FROM (
        SELECT position, entity_sequence, recorded_at, envelope FROM ${NEXT}.recorded_events WHERE ${inRange}
        UNION ALL
        SELECT position, entity_sequence, recorded_at, NULL FROM ${NEXT}.removed_events WHERE ${inRange}
      ) AS candidates
    ) AS measured
    WHERE bytes_to_here <= ${BigInt(MAX_BYTES)}::bigint OR bytes_to_here = octet_length(envelope)
    ORDER BY position`;
}

function contiguous(rows: readonly KeptRow[], after: number): readonly KeptRow[] {
  const hole = rows.findIndex(({ position }, n) => Number(position) !== after + n + 1);
  return hole === -1 ? rows : rows.slice(0, hole);
}

const between = (after: number, upTo: number) =>
  Prisma.sql`position > ${BigInt(after)}::bigint AND position <= ${BigInt(upTo)}::bigint`;

const COUNTED = Prisma.sql`workspace_id, family, entity_id, entity_sequence, position, occurred_at`;

/** An entity's events count whether they are kept or not. */
async function countEntities(queries: Queries, after: number, upTo: number): Promise<void> {
  const inRange = between(after, upTo);
  await queries.$executeRaw`
    INSERT INTO ${NEXT}.entities AS e
      (workspace_id, family, entity_id, event_count, first_position, last_position, last_occurred_at)
    SELECT r.workspace_id, r.family, r.entity_id, max(r.entity_sequence), min(r.position), max(r.position),
      (array_agg(r.occurred_at ORDER BY r.position DESC))[1]
    FROM (
      SELECT ${COUNTED} FROM ${NEXT}.recorded_events WHERE ${inRange}
      UNION ALL
      SELECT ${COUNTED} FROM ${NEXT}.removed_events WHERE ${inRange}
    ) r
    GROUP BY r.workspace_id, r.family, r.entity_id
    ON CONFLICT (workspace_id, family, entity_id) DO UPDATE SET
      event_count = excluded.event_count,
      last_position = excluded.last_position,
      last_occurred_at = excluded.last_occurred_at`;
}

/** What the live model has removed is removed here as well, now that it has had its effect. */
async function removeAgain(queries: Queries, after: number, upTo: number): Promise<void> {
  const inRange = between(after, upTo);
  await queries.$executeRaw`
    WITH removed AS MATERIALIZED (
      SELECT ${REMOVED_COLUMNS} FROM ${LIVE}.removed_events WHERE ${inRange}
    ), noted AS (
      INSERT INTO ${NEXT}.removed_events (${REMOVED_COLUMNS}) SELECT * FROM removed ON CONFLICT (position) DO NOTHING
    )
    DELETE FROM ${NEXT}.recorded_events n USING removed WHERE n.position = removed.position`;
}
