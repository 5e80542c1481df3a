import {
  logEntityKey,
  SluiceError,
  type CheckpointMoves,
  type CurrentKey,
  type EntityKey,
  type EntityKeys,
  type FoundKey,
  type JournalledKey,
  type Lane,
  type LaneCheckpoints,
  type LogEntity,
  type SealingPolicy,
} from '@sluice/event-log';
import type { Pool } from 'pg';
import type { Queries } from '../database';
import { inTransaction, queriesOf } from '../transaction';
import { orUnavailable } from '../unavailable';
import { columnsOf, entityOf, toJournalledKey, type EntityKeyRow } from './key-rows';
import { takeOverJournal } from './take-over';

/** Attempts to add a generation while others add generations of the same entity. */
const MAX_ATTEMPTS = 20;

/** EntityKeys in PostgreSQL, in a schema of its own. */
export class PostgresEntityKeys implements EntityKeys {
  private readonly queries: Queries;

  constructor(private readonly pool: Pool) {
    this.queries = queriesOf(pool);
  }

  register({ keyMaxAgeMs, hasUnsealed }: SealingPolicy): Promise<SealingPolicy> {
    return orUnavailable(async () => {
      const [row] = await this.queries.$queryRaw<{ key_max_age_ms: string; has_unsealed: boolean }[]>`
        INSERT INTO erasure.sealing_policy AS p (id, key_max_age_ms, has_unsealed)
        VALUES (1, ${BigInt(keyMaxAgeMs)}::bigint, ${hasUnsealed})
        ON CONFLICT (id) DO UPDATE SET
          key_max_age_ms = greatest(p.key_max_age_ms, excluded.key_max_age_ms),
          has_unsealed = p.has_unsealed OR excluded.has_unsealed
        RETURNING key_max_age_ms, has_unsealed`;
      return { keyMaxAgeMs: Number(row?.key_max_age_ms), hasUnsealed: row?.has_unsealed ?? true };
    });
  }

  current(entities: readonly LogEntity[]): Promise<readonly CurrentKey[]> {
    const { workspaceIds, families, entityIds } = columnsOf(entities);
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<(EntityKeyRow & { is_stored: boolean })[]>`
        SELECT k.key_id, k.workspace_id, k.family, k.entity_id, k.generation, k.key, k.stored_at IS NOT NULL AS is_stored
        FROM unnest(${workspaceIds}::int[], ${families}::text[], ${entityIds}::text[]) AS w (workspace_id, family, entity_id)
        CROSS JOIN LATERAL (
          SELECT * FROM erasure.entity_keys e
          WHERE e.workspace_id = w.workspace_id AND e.family = w.family AND e.entity_id = w.entity_id AND e.variant = 0
          ORDER BY e.generation DESC LIMIT 1
        ) AS k`;
      return rows.map((row) => ({ ...toJournalledKey(row), isStored: row.is_stored }));
    });
  }

  add(keys: readonly EntityKey[]): Promise<readonly string[]> {
    // In one order, so that two who add the same ones do not wait for each other.
    const sorted = [...keys].sort((a, b) => (logEntityKey(a.entity) < logEntityKey(b.entity) ? -1 : 1));
    const { workspaceIds, families, entityIds } = columnsOf(sorted.map(({ entity }) => entity));
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<Pick<EntityKeyRow, 'key_id'>[]>`
        INSERT INTO erasure.entity_keys (key_id, workspace_id, family, entity_id, generation, key)
        SELECT n.key_id, n.workspace_id, n.family, n.entity_id, n.generation, n.key
        FROM unnest(
          ${sorted.map(({ keyId }) => keyId)}::uuid[], ${workspaceIds}::int[], ${families}::text[], ${entityIds}::text[],
          ${sorted.map(({ generation }) => generation)}::int[], ${sorted.map(({ key }) => Buffer.from(key))}::bytea[]
        ) WITH ORDINALITY AS n (key_id, workspace_id, family, entity_id, generation, key, place)
        WHERE NOT EXISTS (
          SELECT FROM erasure.entity_keys e
          WHERE e.workspace_id = n.workspace_id AND e.family = n.family AND e.entity_id = n.entity_id
            AND e.generation > n.generation
        )
        ORDER BY n.place
        ON CONFLICT DO NOTHING
        RETURNING key_id`;
      return rows.map(({ key_id }) => key_id);
    });
  }

  markStored(keyIds: readonly string[]): Promise<readonly JournalledKey[]> {
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<EntityKeyRow[]>`
        WITH locked AS (
          SELECT key_id FROM erasure.entity_keys WHERE key_id = ANY(${[...keyIds]}::uuid[])
          ORDER BY key_id FOR NO KEY UPDATE
        )
        UPDATE erasure.entity_keys k SET stored_at = coalesce(k.stored_at, clock_timestamp())
        FROM locked WHERE k.key_id = locked.key_id
        RETURNING k.key_id, k.workspace_id, k.family, k.entity_id, k.generation, k.key`;
      return rows.filter(({ key }) => key === null).map(toJournalledKey);
    });
  }

  find(keyIds: readonly string[]): Promise<readonly FoundKey[]> {
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<EntityKeyRow[]>`
        SELECT key_id, workspace_id, family, entity_id, generation, key FROM erasure.entity_keys
        WHERE key_id = ANY(${[...keyIds]}::uuid[])`;
      return rows.map(toJournalledKey).map(({ generation: _, ...found }) => found);
    });
  }

  addGeneration(entity: LogEntity, { keyId, key }: Pick<EntityKey, 'keyId' | 'key'>): Promise<number> {
    const { workspaceId, family, entityId } = entity;
    return orUnavailable(async () => {
      for (let n = 0; n < MAX_ATTEMPTS; n++) {
        const [row] = await this.queries.$queryRaw<{ generation: number }[]>`
          INSERT INTO erasure.entity_keys (key_id, workspace_id, family, entity_id, generation, key)
          SELECT ${keyId}::uuid, ${workspaceId}::int, ${family}, ${entityId}, coalesce(max(generation), -1) + 1, ${Buffer.from(key)}
          FROM erasure.entity_keys
          WHERE workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}
          ON CONFLICT DO NOTHING
          RETURNING generation`;
        if (!row) continue;
        await this.noteKnown(entity, row.generation);
        return row.generation;
      }
      throw new SluiceError('read_model_unavailable', 'Others add generations of this entity all the time');
    });
  }

  generationAgeMs(entity: LogEntity, generation: number): Promise<number | undefined> {
    const { workspaceId, family, entityId } = entity;
    return orUnavailable(async () => {
      // Whoever added it may have ended before it was noted.
      await this.noteKnown(entity, generation);
      const [row] = await this.queries.$queryRaw<{ age_ms: string }[]>`
        SELECT extract(epoch FROM clock_timestamp() - known_since) * 1000 AS age_ms FROM erasure.entity_keys
        WHERE workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}
          AND generation = ${generation}::int AND variant = 0`;
      return row && Math.max(0, Number(row.age_ms));
    });
  }

  /** In a transaction after that which added it: the clock is read when every look-up finds it. */
  private async noteKnown({ workspaceId, family, entityId }: LogEntity, generation: number): Promise<void> {
    await this.queries.$executeRaw`
      UPDATE erasure.entity_keys SET known_since = clock_timestamp()
      WHERE workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}
        AND generation = ${generation}::int AND variant = 0 AND known_since IS NULL`;
  }

  before(entity: LogEntity, generation: number): Promise<readonly Omit<EntityKey, 'key'>[]> {
    const { workspaceId, family, entityId } = entity;
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<Omit<EntityKeyRow, 'key'>[]>`
        SELECT key_id, workspace_id, family, entity_id, generation FROM erasure.entity_keys
        WHERE workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}
          AND generation < ${generation}::int
        ORDER BY generation, variant`;
      return rows.map((row) => ({ keyId: row.key_id, entity: entityOf(row), generation: row.generation }));
    });
  }

  async destroy(keyIds: readonly string[]): Promise<void> {
    await orUnavailable(
      () => this.queries.$executeRaw`
        UPDATE erasure.entity_keys SET key = NULL, destroyed_at = coalesce(destroyed_at, clock_timestamp())
        WHERE key_id = ANY(${[...keyIds]}::uuid[])`,
    );
  }

  loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return orUnavailable(async () => {
      const rows = await this.queries.$queryRaw<{ lane: Lane; next_index: string }[]>`
        SELECT lane, next_index FROM erasure.journal_checkpoints WHERE lane = ANY(${[...lanes]}::int[])`;
      return new Map(rows.map(({ lane, next_index }) => [lane, Number(next_index)]));
    });
  }

  takeOver(keys: readonly JournalledKey[], checkpoints: CheckpointMoves): Promise<readonly JournalledKey[]> {
    return orUnavailable(() => inTransaction(this.pool, (queries) => takeOverJournal(queries, keys, checkpoints)));
  }
}
