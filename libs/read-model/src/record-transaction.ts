import type { EncodedEnvelope, EncodedRecordedEvent, RecordedEvent } from '@sluice/event-schema';
import {
  ProjectionFailed,
  toEpoch,
  toPosition,
  type Lane,
  type LaneCheckpoints,
  type ParkedRecord,
  type RecordBatch,
  type RecordOutcome,
} from '@sluice/event-log';
import { mergeChanges, type Change } from '@sluice/projections';
import { applyChanges } from './apply-changes';
import type { Database, Queries } from './database';
import { Prisma } from './generated/client';
import { currentRecordedEvent } from './stored-event';

/** Channel on which the function `record_events` announces a commit that recorded something. */
export const RECORDED_CHANNEL = 'sluice_recorded';

export type ProjectEvent = (event: RecordedEvent) => readonly Change[];

interface RecordedRow {
  readonly epoch: string;
  /** Place among the envelopes, from 1; 0 where nothing was recorded. */
  readonly ordinal: bigint;
  readonly position: bigint;
  readonly entity_sequence: bigint;
  readonly recorded_at: bigint;
}

/** The projector's one transaction (see EventRecorder.record). */
export function recordBatch(database: Database, batch: RecordBatch, project: ProjectEvent): Promise<RecordOutcome> {
  return database.$transaction(async (queries) => {
    // First of all: from here to the commit it holds the lock that makes positions contiguous.
    const rows = await recordEvents(queries, batch.envelopes, batch.checkpoints);
    const [first] = rows;
    if (!first) throw new Error('record_events gave no epoch');
    const events = rows.flatMap((row) => toRecorded(row, batch.envelopes, project));
    await applyChanges(queries, mergeChanges(events.flatMap(({ changes }) => changes)));
    if (batch.parked.length > 0) await park(queries, batch.parked);
    return { epoch: toEpoch(first.epoch), recorded: events.map(({ recorded }) => recorded) };
  });
}

interface ProjectedEvent {
  readonly recorded: EncodedRecordedEvent;
  readonly changes: readonly Change[];
}

/** @throws ProjectionFailed also where the event cannot be brought to its current version */
function toRecorded(
  row: RecordedRow,
  envelopes: readonly EncodedEnvelope[],
  project: ProjectEvent,
): readonly ProjectedEvent[] {
  const envelope = envelopes[Number(row.ordinal) - 1];
  if (!envelope) return [];
  try {
    const recorded = currentRecordedEvent(envelope, {
      position: toPosition(Number(row.position)),
      entitySequence: Number(row.entity_sequence),
      recordedAt: Number(row.recorded_at),
    });
    return [{ recorded, changes: project(recorded.event) }];
  } catch (error) {
    throw new ProjectionFailed(envelope.event.id, error);
  }
}

/** Everything about the events themselves is one call of a function in the database: one round trip. */
async function recordEvents(
  queries: Queries,
  envelopes: readonly EncodedEnvelope[],
  checkpoints: LaneCheckpoints,
): Promise<readonly RecordedRow[]> {
  const events = envelopes.map(({ event }) => event);
  const lanes = [...checkpoints];
  return queries.$queryRaw<RecordedRow[]>`
    SELECT epoch, ordinal, position, entity_sequence, recorded_at FROM read_model.record_events(
      ${listOf(events.map(({ id }) => id))}::uuid[],
      ${listOf(events.map(({ workspaceId }) => workspaceId))}::int[],
      ${listOf(events.map(({ family }) => family))},
      ${listOf(events.map(({ entityId }) => entityId))},
      ${listOf(events.map(({ type }) => type))},
      ${listOf(events.map(({ occurredAt }) => occurredAt))}::bigint[],
      ${listOf(envelopes.map(({ json }) => json))},
      ${lanes.map(([lane]) => lane as number)}::int[],
      ${lanes.map(([, next]) => BigInt(next))}::bigint[])`;
}

/** An array of texts. As a parameter of that type it would cost the driver several times as much. */
function listOf(items: readonly (string | number)[]): Prisma.Sql {
  return Prisma.sql`ARRAY(SELECT json_array_elements_text(${JSON.stringify(items)}::text::json))`;
}

async function park(queries: Queries, records: readonly ParkedRecord[]): Promise<void> {
  for (const { lane, index, value, reason, detail, workspaceId, eventId } of records) {
    await queries.$executeRaw`
      INSERT INTO read_model.parked_records (lane, index, value, reason, detail, workspace_id, event_id)
      VALUES (${lane as number}, ${BigInt(index)}, ${value}::bytea, ${reason}, ${detail}, ${workspaceId ?? null}::int, ${eventId ?? null})
      ON CONFLICT (lane, index) DO NOTHING`;
  }
}

export async function loadCheckpoints(queries: Queries, lanes: readonly Lane[]): Promise<LaneCheckpoints> {
  const rows = await queries.$queryRaw<{ lane: number; next_index: bigint }[]>`
    SELECT lane, next_index FROM read_model.lane_checkpoints WHERE lane = ANY(${lanes.map(Number)}::int[])`;
  return new Map(rows.map(({ lane, next_index }) => [lane as Lane, Number(next_index)]));
}
