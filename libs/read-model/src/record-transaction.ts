import type {
  EncodedEnvelope,
  EncodedRecordedEvent,
  EventEnvelope,
  RecordedEvent,
  Recording,
} from '@sluice/event-schema';
import {
  CheckpointLost,
  ProjectionFailed,
  toEpoch,
  toPosition,
  type CheckpointMoves,
  type Lane,
  type LaneCheckpoints,
  type ParkedRecord,
  type RecordBatch,
  type RecordOutcome,
} from '@sluice/event-log';
import { mergeChanges, type Change } from '@sluice/projections';
import { DatabaseError, type Pool } from 'pg';
import { applyChanges } from './apply-changes';
import type { Queries } from './database';
import { LIVE, type ModelSchema } from './rebuild/model-schemas';
import { currentRecordedEvent } from './stored-event';
import { toLines } from './text-lines';
import { inTransaction } from './transaction';

/** Channel on which the function `record_events` announces a commit that recorded something. */
export const RECORDED_CHANNEL = 'sluice_recorded';

export type ProjectEvent = (event: RecordedEvent) => readonly Change[];

/** What was recorded, as one row: the driver takes long for many. */
interface RecordedRow {
  readonly epoch: string;
  /** Of the first event that was recorded; the others follow without a hole. */
  readonly first_position: string;
  readonly recorded_at: string;
  /** Places among the envelopes, from 1, in the order of positions; a single 0 where nothing was recorded. */
  readonly ordinals: string;
  readonly entity_sequences: string;
}

/** The projector's one transaction (see EventRecorder.record). */
export function recordBatch(pool: Pool, batch: RecordBatch, project: ProjectEvent): Promise<RecordOutcome> {
  return inTransaction(pool, (queries) => recordInTransaction(queries, batch, project));
}

/** What the projector does in one transaction, to the live model or to one that is being built. */
export async function recordInTransaction(
  queries: Queries,
  batch: RecordBatch,
  project: ProjectEvent,
  schema: ModelSchema = LIVE,
): Promise<RecordOutcome> {
  // First of all: from here to the commit it holds the lock that makes positions contiguous.
  const [row] = await recordEvents(queries, batch.envelopes, batch.checkpoints, schema);
  if (!row) throw new Error('record_events gave no epoch');
  const recorded: EncodedRecordedEvent[] = [];
  const changes: Change[] = [];
  for (const { envelope, recording } of recordingsOf(row, batch.envelopes)) {
    try {
      const event = currentRecordedEvent(envelope, recording);
      recorded.push(event);
      for (const change of project(event.event)) changes.push(change);
    } catch (error) {
      // Also where the event cannot be brought to its current version.
      throw new ProjectionFailed(envelope.event.id, error);
    }
  }
  await applyChanges(queries, mergeChanges(changes), schema);
  if (batch.parked.length > 0) await park(queries, batch.parked, schema);
  return { epoch: toEpoch(row.epoch), recorded };
}

function* recordingsOf(row: RecordedRow, envelopes: readonly EncodedEnvelope[]) {
  const sequences = row.entity_sequences.split(' ');
  const recordedAt = Number(row.recorded_at);
  let position = Number(row.first_position);
  for (const [n, ordinal] of row.ordinals.split(' ').entries()) {
    const envelope = envelopes[Number(ordinal) - 1];
    if (!envelope) continue;
    const recording: Recording = {
      position: toPosition(position++),
      entitySequence: Number(sequences[n]),
      recordedAt,
    };
    yield { envelope, recording };
  }
}

/** Everything about the events themselves is one call of a function in the database: one round trip. */
async function recordEvents(
  queries: Queries,
  envelopes: readonly EncodedEnvelope[],
  checkpoints: CheckpointMoves,
  schema: ModelSchema,
): Promise<readonly RecordedRow[]> {
  const linesOf = (text: (event: EventEnvelope) => string) => toLines(envelopes.map(({ event }) => text(event)));
  const lanes = [...checkpoints];
  const recording = queries.$queryRaw<RecordedRow[]>`
    SELECT min(epoch) AS epoch, min(position) AS first_position, min(recorded_at) AS recorded_at,
      string_agg(ordinal::text, ' ' ORDER BY position) AS ordinals,
      string_agg(entity_sequence::text, ' ' ORDER BY position) AS entity_sequences
    FROM ${schema}.record_events_after(
      string_to_array(${linesOf(({ id }) => id)}::text, E'\\n')::uuid[],
      string_to_array(${linesOf(({ workspaceId }) => String(workspaceId))}::text, E'\\n')::int[],
      string_to_array(${linesOf(({ family }) => family)}::text, E'\\n'),
      string_to_array(${linesOf(({ entityId }) => entityId)}::text, E'\\n'),
      string_to_array(${linesOf(({ type }) => type)}::text, E'\\n'),
      string_to_array(${linesOf(({ occurredAt }) => String(occurredAt))}::text, E'\\n')::bigint[],
      string_to_array(${toLines(envelopes.map(({ json }) => json))}::text, E'\\n'),
      ${lanes.map(([lane]) => lane as number)}::int[],
      ${lanes.map(([, { to }]) => BigInt(to))}::bigint[],
      ${lanes.map(([, { from }]) => BigInt(from))}::bigint[])`;
  return recording.catch((error: unknown) => {
    throw toCheckpointLost(error) ?? error;
  });
}

/** The SQLSTATE by which `record_events_after` refuses what comes after something that was lost. */
const CHECKPOINT_LOST = 'SL001';

function toCheckpointLost(error: unknown): CheckpointLost | undefined {
  if (!(error instanceof DatabaseError && error.code === CHECKPOINT_LOST)) return undefined;
  const { lane, stored, expected } = JSON.parse(error.detail ?? '') as Record<'lane' | 'stored' | 'expected', number>;
  return new CheckpointLost(lane as Lane, stored, expected);
}

async function park(queries: Queries, records: readonly ParkedRecord[], schema: ModelSchema): Promise<void> {
  for (const { lane, index, value, reason, detail, workspaceId, eventId } of records) {
    await queries.$executeRaw`
      INSERT INTO ${schema}.parked_records (lane, index, value, reason, detail, workspace_id, event_id)
      VALUES (${lane}, ${BigInt(index)}, ${value}::bytea, ${reason}, ${detail}, ${workspaceId ?? null}::int, ${eventId ?? null})
      ON CONFLICT (lane, index) DO NOTHING`;
  }
}

export async function loadCheckpoints(
  queries: Queries,
  lanes: readonly Lane[],
  schema: ModelSchema = LIVE,
): Promise<LaneCheckpoints> {
  const rows = await queries.$queryRaw<{ lane: number; next_index: bigint }[]>`
    SELECT lane, next_index FROM ${schema}.lane_checkpoints WHERE lane = ANY(${lanes.map(Number)}::int[])`;
  return new Map(rows.map(({ lane, next_index }) => [lane as Lane, Number(next_index)]));
}
