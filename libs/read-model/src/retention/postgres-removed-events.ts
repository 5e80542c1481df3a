import type { EntityRef, Removal, RemovalBounds, RemovedEvents } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { Pool } from 'pg';
import { Prisma } from '../generated/client';
import { LIVE } from '../rebuild/model-schemas';
import { inTransaction } from '../transaction';
import { orUnavailable } from '../unavailable';
import { firstWithin, refuseWhileRebuilding, removeAt } from './remove-events';

/** RemovedEvents in PostgreSQL. */
export class PostgresRemovedEvents implements RemovedEvents {
  constructor(private readonly pool: Pool) {}

  removeOfEntity(entity: EntityRef, upTo: Position, bounds: RemovalBounds): Promise<Removal> {
    const { workspaceId, family, entityId } = entity;
    const candidates = Prisma.sql`
      SELECT position, octet_length(envelope) AS bytes FROM ${LIVE}.recorded_events
      WHERE workspace_id = ${workspaceId}::int AND family = ${family} AND entity_id = ${entityId}
        AND position <= ${BigInt(upTo)}::bigint
      ORDER BY position`;
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await refuseWhileRebuilding(queries);
        const { positions, bytes, complete } = await firstWithin(queries, candidates, bounds);
        return { events: await removeAt(queries, positions, 'untold'), bytes, complete };
      }),
    );
  }
}
