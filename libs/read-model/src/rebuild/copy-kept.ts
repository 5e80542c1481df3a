import {
  assertNotLost,
  targetsOf,
  type Lane,
  type LaneCheckpoints,
  type RebuildBatch,
  type RebuildEvent,
} from '@sluice/event-log';
import type { Queries } from '../database';
import { loadCheckpoints } from '../record-transaction';
import { toLines } from '../text-lines';
import { MAX_LACKING } from './lacking';
import { LIVE, NEXT } from './model-schemas';

/** Where records are kept that have the id of an event of the live model and another text, until it is known which is meant. */
export const VARIANTS_TABLE = 'recorded_variants';

/**
 * Brings events of the log into the model beside, with what recording added to them in the live one. Only what the live one
 * has handled is taken: before that it is open which position an event will have.
 */
export async function copyKept(queries: Queries, batch: RebuildBatch): Promise<LaneCheckpoints> {
  const lanes = [...batch.checkpoints.keys()];
  assertNotLost(batch.checkpoints, await loadCheckpoints(queries, lanes, NEXT));
  const live = await loadCheckpoints(queries, lanes);
  const reached = new Map<Lane, number>();
  for (const [lane, next] of targetsOf(batch.checkpoints)) {
    const upTo = Math.min(next, live.get(lane) ?? 0);
    if (upTo > 0) reached.set(lane, upTo);
  }
  const handled = batch.events.filter(({ lane, index }) => index < (live.get(lane) ?? 0));
  if (handled.length > 0) {
    await copyEvents(queries, handled);
    await leaveAway(queries, handled);
  }
  await storeCheckpoints(queries, reached);
  return reached;
}

/**
 * A record with the text that the live model has is the event. One with another text is most often a second event with the
 * same id, which was skipped as known. It is set aside, in case that there is no other. Of what was removed the text is not
 * known any more: there the entity and the time tell. It is copied to have its effect, and removed again after that. What the
 * live model parked is parked there too. What it lacks is kept for the switch; of more than can be recorded then, not all.
 */
async function copyEvents(queries: Queries, events: readonly RebuildEvent[]): Promise<void> {
  await queries.$executeRaw`SET LOCAL enable_seqscan = off`;
  await queries.$executeRaw`SET LOCAL enable_hashjoin = off`;
  await queries.$executeRaw`SET LOCAL enable_mergejoin = off`;
  const linesOf = (text: (event: RebuildEvent) => unknown) => toLines(events.map((event) => String(text(event))));
  await queries.$executeRaw`
    WITH given AS MATERIALIZED (
      SELECT * FROM unnest(
        string_to_array(${linesOf(({ envelope }) => envelope.event.id)}::text, E'\\n')::uuid[],
        string_to_array(${linesOf(({ envelope }) => envelope.event.workspaceId)}::text, E'\\n')::int[],
        string_to_array(${linesOf(({ envelope }) => envelope.event.family)}::text, E'\\n'),
        string_to_array(${linesOf(({ envelope }) => envelope.event.entityId)}::text, E'\\n'),
        string_to_array(${linesOf(({ envelope }) => envelope.event.type)}::text, E'\\n'),
        string_to_array(${linesOf(({ envelope }) => envelope.event.occurredAt)}::text, E'\\n')::bigint[],
        string_to_array(${linesOf(({ envelope }) => envelope.json)}::text, E'\\n'),
        string_to_array(${linesOf(({ lane }) => lane)}::text, E'\\n')::int[],
        string_to_array(${linesOf(({ index }) => index)}::text, E'\\n')::bigint[]
      ) WITH ORDINALITY AS g (id, workspace_id, family, entity_id, type, occurred_at, envelope, lane, index, ordinal)
    ), known AS MATERIALIZED (
      SELECT g.*, e.position, e.entity_sequence, e.recorded_at, e.envelope = g.envelope AS is_exact
      FROM given g JOIN ${LIVE}.recorded_events e ON e.id = g.id
      UNION ALL
      SELECT g.*, m.position, m.entity_sequence, m.recorded_at,
        (m.workspace_id, m.family, m.entity_id, m.occurred_at) = (g.workspace_id, g.family, g.entity_id, g.occurred_at)
      FROM given g JOIN ${LIVE}.removed_events m ON m.id = g.id
    ), copied AS (
      INSERT INTO ${NEXT}.recorded_events (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at,
        recorded_at, envelope)
      SELECT k.position, k.id, k.workspace_id, k.family, k.entity_id, k.entity_sequence, k.type, k.occurred_at, k.recorded_at,
        k.envelope
      FROM known k WHERE k.is_exact ORDER BY k.ordinal
      ON CONFLICT (position) DO NOTHING
    ), set_aside AS (
      INSERT INTO ${NEXT}.recorded_variants (position, id, workspace_id, family, entity_id, entity_sequence, type, occurred_at,
        recorded_at, envelope)
      SELECT k.position, k.id, k.workspace_id, k.family, k.entity_id, k.entity_sequence, k.type, k.occurred_at, k.recorded_at,
        k.envelope
      FROM known k WHERE NOT k.is_exact ORDER BY k.ordinal
      ON CONFLICT (position) DO NOTHING
    )
    INSERT INTO ${NEXT}.lacking_records (lane, index, envelope)
    SELECT g.lane, g.index, g.envelope FROM given g
    WHERE NOT EXISTS (SELECT FROM known k WHERE k.id = g.id)
      AND NOT EXISTS (SELECT FROM ${LIVE}.parked_records p WHERE p.lane = g.lane AND p.index = g.index)
      AND (SELECT count(*) FROM ${NEXT}.lacking_records) <= ${MAX_LACKING}
    ORDER BY g.ordinal
    ON CONFLICT (lane, index) DO NOTHING`;
}

/**
 * A record may come after its event was removed again: where the log has it twice, or had lost it for a while. In a statement
 * of its own, which sees what was removed while the one before it waited for that.
 */
async function leaveAway(queries: Queries, events: readonly RebuildEvent[]): Promise<void> {
  await queries.$executeRaw`
    DELETE FROM ${NEXT}.recorded_events n USING ${NEXT}.removed_events m
    WHERE n.id = ANY(${events.map(({ envelope }) => envelope.event.id)}::uuid[]) AND m.position = n.position`;
}

async function storeCheckpoints(queries: Queries, checkpoints: LaneCheckpoints): Promise<void> {
  const lanes = [...checkpoints];
  await queries.$executeRaw`
    INSERT INTO ${NEXT}.lane_checkpoints AS l (lane, next_index)
    SELECT * FROM unnest(${lanes.map(([lane]) => lane as number)}::int[], ${lanes.map(([, next]) => BigInt(next))}::bigint[])
    ON CONFLICT (lane) DO UPDATE SET next_index = greatest(l.next_index, excluded.next_index)`;
}
