import type { EntityRef, Removal, RemovalBounds, RemovedEvents } from '@sluice/event-log';
import type { Position } from '@sluice/event-schema';
import type { Pool } from 'pg';
import { eventsOf } from '../erasure/entity-events';
import { inTransaction } from '../transaction';
import { orUnavailable } from '../unavailable';
import { firstWithin, refuseWhileRebuilding, removeAt } from './remove-events';

/** RemovedEvents in PostgreSQL. */
export class PostgresRemovedEvents implements RemovedEvents {
  constructor(private readonly pool: Pool) {}

  removeOfEntity(entity: EntityRef, upTo: Position, bounds: RemovalBounds): Promise<Removal> {
    return orUnavailable(() =>
      inTransaction(this.pool, async (queries) => {
        await refuseWhileRebuilding(queries);
        const { positions, bytes, complete } = await firstWithin(queries, eventsOf(entity, upTo), bounds);
        return { events: await removeAt(queries, positions, 'untold'), bytes, complete };
      }),
    );
  }
}
