import { currentRecordedEvent, toPosition } from '@sluice/event-log';
import type { EventEnvelope } from '@sluice/event-schema';
import { mergeChanges, type Change } from '@sluice/projections';
import { applyChanges } from '../apply-changes';
import type { Queries } from '../database';
import type { ProjectEvent } from '../record-transaction';
import type { StoredEventRow } from '../stored-event';
import { NEXT } from './model-schemas';

/** Most events, and bytes of envelopes, of one transaction; one event may be larger. */
const MAX_EVENTS = 1_000;
const MAX_BYTES = 8 * 1024 * 1024;

export interface Projected {
  /** How many events were taken, and the position of the last one. */
  readonly events: number;
  readonly upTo: number;
  /** How many of them a projection rejected. */
  readonly leftOut: number;
}

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
  return { events: rows.length, upTo, leftOut };
}

function readAfter(queries: Queries, after: number): Promise<readonly StoredEventRow[]> {
  return queries.$queryRaw<StoredEventRow[]>`
    SELECT position, entity_sequence, recorded_at, envelope
    FROM (
      SELECT *, sum(octet_length(envelope)) OVER (ORDER BY position) AS bytes_to_here
      FROM (
        SELECT position, entity_sequence, recorded_at, envelope FROM ${NEXT}.recorded_events
        WHERE position > ${BigInt(after)}::bigint AND position <= ${BigInt(after + MAX_EVENTS)}::bigint ORDER BY position
      ) AS candidates
    ) AS measured
    WHERE bytes_to_here <= ${BigInt(MAX_BYTES)}::bigint OR bytes_to_here = octet_length(envelope)
    ORDER BY position`;
}

function contiguous(rows: readonly StoredEventRow[], after: number): readonly StoredEventRow[] {
  const hole = rows.findIndex(({ position }, n) => Number(position) !== after + n + 1);
  return hole === -1 ? rows : rows.slice(0, hole);
}

/** An entity goes on from the sequence number of its last event, also where its first ones are not kept any more. */
async function countEntities(queries: Queries, after: number, upTo: number): Promise<void> {
  await queries.$executeRaw`
    INSERT INTO ${NEXT}.entities AS e
      (workspace_id, family, entity_id, event_count, first_position, last_position, last_occurred_at)
    SELECT r.workspace_id, r.family, r.entity_id, max(r.entity_sequence), min(r.position), max(r.position),
      (array_agg(r.occurred_at ORDER BY r.position DESC))[1]
    FROM ${NEXT}.recorded_events r
    WHERE r.position > ${BigInt(after)}::bigint AND r.position <= ${BigInt(upTo)}::bigint
    GROUP BY r.workspace_id, r.family, r.entity_id
    ON CONFLICT (workspace_id, family, entity_id) DO UPDATE SET
      event_count = excluded.event_count,
      last_position = excluded.last_position,
      last_occurred_at = excluded.last_occurred_at`;
}
