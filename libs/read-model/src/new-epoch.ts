import type { RecordedWitness } from '@sluice/event-log';
import type { Queries } from './database';
import { RECORDED_CHANNEL } from './record-transaction';

/**
 * See EventRecorder.beginEpochIfLost. One statement: of those who ask at the same moment one begins the epoch, and the others
 * find that theirs is over.
 */
export async function beginEpochIfLost(
  queries: Queries,
  { epoch, position, eventId }: RecordedWitness,
): Promise<boolean> {
  const begun = await queries.$queryRaw<unknown[]>`
    WITH begun AS (
      UPDATE read_model.position_counter c SET epoch = substr(md5(gen_random_uuid()::text), 1, 8)
      WHERE c.id = 1 AND c.epoch = ${epoch}
        AND NOT EXISTS (SELECT FROM read_model.recorded_events e WHERE e.position = ${BigInt(position)}::bigint AND e.id = ${eventId}::uuid)
        AND NOT EXISTS (SELECT FROM read_model.removed_events m WHERE m.position = ${BigInt(position)}::bigint AND m.id = ${eventId}::uuid)
      RETURNING c.last_position
    ), taken_away AS (
      UPDATE read_model.publisher_lease l SET published = b.last_position, fencing_token = l.fencing_token + 1, holder = '',
        expires_at = clock_timestamp()
      FROM begun b WHERE l.id = 1
    )
    SELECT pg_notify(${RECORDED_CHANNEL}, '') FROM begun`;
  return begun.length > 0;
}
