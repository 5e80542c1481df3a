import type { EncodedRecordedEvent, Position } from '@sluice/event-schema';
import { SluiceError } from '../errors';
import type { EntityRef, Removal, RemovalBounds, RemovedEvents } from '../ports/removed-events';
import type { MemoryModelState } from './memory-model-state';

/** RemovedEvents in memory. */
export class MemoryRemovedEvents implements RemovedEvents {
  constructor(
    private readonly state: () => MemoryModelState,
    private readonly isRebuilding: () => boolean,
  ) {}

  async removeOfEntity(entity: EntityRef, upTo: Position, bounds: RemovalBounds): Promise<Removal> {
    if (this.isRebuilding()) throw new SluiceError('conflict', 'The read model is being rebuilt');
    const state = this.state();
    const wanted = state.events.filter(({ event }) => event.position <= upTo && isOf(event, entity));
    const { taken, bytes } = firstWithin(state, wanted, bounds);
    for (const { event } of taken) state.remove(event);
    return { events: taken.length, bytes, complete: taken.length === wanted.length };
  }
}

/** As many of the first events as the bounds allow. */
export function firstWithin(
  state: MemoryModelState,
  events: readonly EncodedRecordedEvent[],
  { maxEvents, maxBytes }: RemovalBounds,
): { taken: readonly EncodedRecordedEvent[]; bytes: number } {
  const taken: EncodedRecordedEvent[] = [];
  let bytes = 0;
  for (const event of events) {
    const size = state.sizes.get(event) ?? 0;
    if (taken.length === maxEvents || (taken.length > 0 && bytes + size > maxBytes)) break;
    taken.push(event);
    bytes += size;
  }
  return { taken, bytes };
}

function isOf(event: EntityRef, { workspaceId, family, entityId }: EntityRef): boolean {
  return event.workspaceId === workspaceId && event.family === family && event.entityId === entityId;
}
