import type { EncodedEnvelope, EncodedRecordedEvent, RecordedEvent } from '@sluice/event-schema';
import {
  advance,
  ProjectionFailed,
  toEpoch,
  toPosition,
  type Head,
  type Lane,
  type LaneCheckpoints,
  type ParkedRecord,
  type RecordBatch,
  type RecordOutcome,
} from '@sluice/event-log';
import { mergeChanges, type Change } from '@sluice/projections';
import { applyChanges } from './apply-changes';
import type { Database, Queries } from './database';
import { currentRecordedEvent } from './stored-event';

/** Channel on which a commit that recorded something is announced. */
export const RECORDED_CHANNEL = 'sluice_recorded';

export type ProjectEvent = (event: RecordedEvent) => readonly Change[];

/** The projector's one transaction (see EventRecorder.record). */
export function recordBatch(database: Database, batch: RecordBatch, project: ProjectEvent): Promise<RecordOutcome> {
  return database.$transaction(async (queries) => {
    // The row lock comes first: from here to the commit no other recorder can look at ids or take positions.
    const head = await lockCounter(queries);
    const fresh = await withoutKnown(queries, batch.envelopes);
    const sequences = await advanceEntities(queries, fresh, head);
    const recordedAt = Date.now();
    const recorded = fresh.map((envelope, index) =>
      currentRecordedEvent(envelope, {
        position: advance(head.position, index + 1),
        entitySequence: sequences[index] ?? 0,
        recordedAt,
      }),
    );
    await insertEvents(queries, fresh, recorded, batch.checkpoints);
    await applyChanges(queries, mergeChanges(recorded.flatMap(({ event }) => projectOrFail(project, event))));
    if (batch.parked.length > 0) await park(queries, batch.parked);
    return { epoch: head.epoch, recorded };
  });
}

function projectOrFail(project: ProjectEvent, event: RecordedEvent): readonly Change[] {
  try {
    return project(event);
  } catch (error) {
    throw new ProjectionFailed(event.id, error);
  }
}

async function lockCounter(queries: Queries): Promise<Head> {
  const [row] = await queries.$queryRaw<{ epoch: string; last_position: bigint }[]>`
    SELECT epoch, last_position FROM read_model.position_counter WHERE id = 1 FOR UPDATE`;
  if (!row) throw new Error('the position counter is missing');
  return { epoch: toEpoch(row.epoch), position: toPosition(Number(row.last_position)) };
}

/** The envelopes whose ids are neither recorded nor repeated within the batch. */
async function withoutKnown(
  queries: Queries,
  envelopes: readonly EncodedEnvelope[],
): Promise<readonly EncodedEnvelope[]> {
  const byId = new Map<string, EncodedEnvelope>();
  for (const envelope of envelopes) if (!byId.has(envelope.event.id)) byId.set(envelope.event.id, envelope);
  if (byId.size === 0) return [];
  const known = await queries.$queryRaw<{ id: string }[]>`
    SELECT id::text FROM read_model.recorded_events WHERE id = ANY(${[...byId.keys()]}::uuid[])`;
  for (const { id } of known) byId.delete(id);
  return [...byId.values()];
}

interface EntityAdvance {
  readonly event: EncodedEnvelope['event'];
  count: number;
  first: bigint;
  last: bigint;
  lastOccurredAt: bigint;
}

/** Moves each entity on and gives the sequence number of every envelope. */
async function advanceEntities(
  queries: Queries,
  envelopes: readonly EncodedEnvelope[],
  head: Head,
): Promise<readonly number[]> {
  if (envelopes.length === 0) return [];
  const advances = new Map<string, EntityAdvance>();
  const placeInBatch = envelopes.map(({ event }, index) => {
    const key = entityOf(event.workspaceId, event.family, event.entityId);
    const position = BigInt(head.position + index + 1);
    const entry = advances.get(key) ?? { event, count: 0, first: position, last: position, lastOccurredAt: 0n };
    advances.set(key, entry);
    entry.count++;
    entry.last = position;
    entry.lastOccurredAt = BigInt(event.occurredAt);
    return { key, place: entry.count };
  });
  const rows = [...advances.values()];
  const counts = await queries.$queryRaw<
    { workspace_id: number; family: string; entity_id: string; event_count: bigint }[]
  >`
    INSERT INTO read_model.entities AS e
      (workspace_id, family, entity_id, event_count, first_position, last_position, last_occurred_at)
    SELECT * FROM unnest(
      ${rows.map(({ event }) => event.workspaceId)}::int[],
      ${rows.map(({ event }) => event.family)}::text[],
      ${rows.map(({ event }) => event.entityId)}::text[],
      ${rows.map(({ count }) => BigInt(count))}::bigint[],
      ${rows.map(({ first }) => first)}::bigint[],
      ${rows.map(({ last }) => last)}::bigint[],
      ${rows.map(({ lastOccurredAt }) => lastOccurredAt)}::bigint[])
    ON CONFLICT (workspace_id, family, entity_id) DO UPDATE SET
      event_count = e.event_count + excluded.event_count,
      last_position = excluded.last_position,
      last_occurred_at = excluded.last_occurred_at
    RETURNING workspace_id, family, entity_id, event_count`;
  const before = new Map<string, number>();
  for (const row of counts) {
    const key = entityOf(row.workspace_id, row.family, row.entity_id);
    before.set(key, Number(row.event_count) - (advances.get(key)?.count ?? 0));
  }
  return placeInBatch.map(({ key, place }) => (before.get(key) ?? 0) + place);
}

const entityOf = (workspaceId: number, family: string, entityId: string) => `${workspaceId}/${family}/${entityId}`;

/** Events, counter, checkpoints and the announcement go in one statement: one round trip. */
async function insertEvents(
  queries: Queries,
  envelopes: readonly EncodedEnvelope[],
  recorded: readonly EncodedRecordedEvent[],
  checkpoints: LaneCheckpoints,
): Promise<void> {
  const events = recorded.map(({ event }) => event);
  const lanes = [...checkpoints];
  await queries.$queryRaw`
    WITH events AS (
      INSERT INTO read_model.recorded_events
        (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at, recorded_at, envelope)
      SELECT * FROM unnest(
        ${events.map(({ position }) => BigInt(position))}::bigint[],
        ${events.map(({ id }) => id)}::uuid[],
        ${events.map(({ workspaceId }) => workspaceId)}::int[],
        ${events.map(({ family }) => family)}::text[],
        ${events.map(({ entityId }) => entityId)}::text[],
        ${events.map(({ entitySequence }) => BigInt(entitySequence))}::bigint[],
        ${events.map(({ type }) => type)}::text[],
        ${events.map(({ occurredAt }) => BigInt(occurredAt))}::bigint[],
        ${events.map(({ recordedAt }) => BigInt(recordedAt))}::bigint[],
        ${envelopes.map(({ json }) => json)}::text[])
    ), counter AS (
      UPDATE read_model.position_counter SET last_position = last_position + ${BigInt(events.length)}::bigint
      WHERE id = 1 AND ${events.length > 0}
    ), checkpoints AS (
      INSERT INTO read_model.lane_checkpoints AS c (lane, next_index)
      SELECT * FROM unnest(${lanes.map(([lane]) => lane as number)}::int[], ${lanes.map(([, next]) => BigInt(next))}::bigint[])
      ON CONFLICT (lane) DO UPDATE SET next_index = greatest(c.next_index, excluded.next_index)
    )
    SELECT pg_notify(${RECORDED_CHANNEL}, '')::text WHERE ${events.length > 0}`;
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
