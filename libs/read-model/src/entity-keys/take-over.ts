import { assertNotLost, targetsOf, type CheckpointMoves, type JournalledKey, type Lane } from '@sluice/event-log';
import type { Queries } from '../database';
import { columnsOf, toJournalledKey, type EntityKeyRow } from './key-rows';

/**
 * Takes what the journal has into the index, in one transaction.
 * @returns keys that are destroyed, and of which the journal says last that they are not
 * @throws CheckpointLost
 */
export async function takeOverJournal(
  queries: Queries,
  keys: readonly JournalledKey[],
  checkpoints: CheckpointMoves,
): Promise<readonly JournalledKey[]> {
  await moveCheckpoints(queries, checkpoints);
  const destroyed = keys.filter(({ key }) => key === undefined).map(({ keyId }) => keyId);
  // What is said of one key several times is in order; that it is destroyed counts wherever it stands.
  const last = new Map(keys.map((key) => [key.keyId, key]));
  const isDestroyed = new Set(destroyed);
  const known = [...last.values()].map((key) => (isDestroyed.has(key.keyId) ? withoutKey(key) : key));
  const alive = [...last.values()].filter(({ key }) => key !== undefined).map(({ keyId }) => keyId);
  await insertUnknown(queries, known);
  await queries.$executeRaw`
    UPDATE erasure.entity_keys SET key = NULL, destroyed_at = clock_timestamp()
    WHERE key_id = ANY(${destroyed}::uuid[]) AND key IS NOT NULL`;
  await queries.$executeRaw`
    UPDATE erasure.entity_keys SET stored_at = clock_timestamp() WHERE key_id = ANY(${alive}::uuid[]) AND stored_at IS NULL`;
  const revived = await queries.$queryRaw<EntityKeyRow[]>`
    SELECT key_id, workspace_id, family, entity_id, generation, key FROM erasure.entity_keys
    WHERE key_id = ANY(${alive}::uuid[]) AND key IS NULL`;
  return revived.map(toJournalledKey);
}

/** First of all, and in one order: two who take over the same lane do so one after the other. */
async function moveCheckpoints(queries: Queries, checkpoints: CheckpointMoves): Promise<void> {
  const targets = [...targetsOf(checkpoints)].sort(([a], [b]) => a - b);
  const lanes = targets.map(([lane]) => lane);
  const before = await queries.$queryRaw<{ lane: Lane; next_index: string }[]>`
    SELECT lane, next_index FROM erasure.journal_checkpoints WHERE lane = ANY(${lanes}::int[]) ORDER BY lane FOR UPDATE`;
  assertNotLost(checkpoints, new Map(before.map(({ lane, next_index }) => [lane, Number(next_index)])));
  await queries.$executeRaw`
    INSERT INTO erasure.journal_checkpoints AS j (lane, next_index)
    SELECT * FROM unnest(${lanes}::int[], ${targets.map(([, to]) => BigInt(to))}::bigint[])
    ON CONFLICT (lane) DO UPDATE SET next_index = greatest(j.next_index, excluded.next_index)`;
}

/** A key of a generation that has one already opens what it sealed, and seals nothing. */
async function insertUnknown(queries: Queries, keys: readonly JournalledKey[]): Promise<void> {
  const { workspaceIds, families, entityIds } = columnsOf(keys.map(({ entity }) => entity));
  const bytes = keys.map(({ key }) => (key === undefined ? null : Buffer.from(key)));
  await queries.$executeRaw`
    INSERT INTO erasure.entity_keys
      (key_id, workspace_id, family, entity_id, generation, variant, key, stored_at, destroyed_at)
    SELECT n.key_id, n.workspace_id, n.family, n.entity_id, n.generation,
      coalesce((
        SELECT max(e.variant) + 1 FROM erasure.entity_keys e
        WHERE e.workspace_id = n.workspace_id AND e.family = n.family AND e.entity_id = n.entity_id
          AND e.generation = n.generation
      ), 0) + row_number() OVER (PARTITION BY n.workspace_id, n.family, n.entity_id, n.generation ORDER BY n.key_id) - 1,
      n.key, clock_timestamp(), CASE WHEN n.key IS NULL THEN clock_timestamp() END
    FROM unnest(
      ${keys.map(({ keyId }) => keyId)}::uuid[], ${workspaceIds}::int[], ${families}::text[], ${entityIds}::text[],
      ${keys.map(({ generation }) => generation)}::int[], ${bytes}::bytea[]
    ) AS n (key_id, workspace_id, family, entity_id, generation, key)
    WHERE NOT EXISTS (SELECT FROM erasure.entity_keys e WHERE e.key_id = n.key_id)
    ON CONFLICT (key_id) DO NOTHING`;
}

function withoutKey({ keyId, entity, generation }: JournalledKey): JournalledKey {
  return { keyId, entity, generation };
}
