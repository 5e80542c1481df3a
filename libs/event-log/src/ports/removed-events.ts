import type { EventFamily, Position } from '@sluice/event-schema';

/** What events are about. */
export interface EntityRef {
  readonly workspaceId: number;
  readonly family: EventFamily;
  readonly entityId: string;
}

/** How much of the read model one transaction may take out. */
export interface RemovalBounds {
  readonly maxEvents: number;
  /** Most bytes of envelopes, as text in UTF-8; one event goes whatever its size. */
  readonly maxBytes: number;
}

/** What one transaction did. */
export interface Removal {
  readonly events: number;
  readonly bytes: number;
  /** Nothing is left of what was to be removed. False when a bound was reached. */
  readonly complete: boolean;
}

/**
 * Taking recorded events out of the read model. The text of an event goes; its position, its id and its place in its entity
 * stay taken. So positions have no holes, what is appended or read again under its id is known, and the next event of the
 * entity has the next sequence number. Projections are left as they are.
 */
export interface RemovedEvents {
  /**
   * Removes the events of an entity up to a position, the first ones first, in one transaction. It raises no floor: who reads
   * is not told. To be repeated until it is complete.
   * @throws SluiceError `conflict` while the read model is being rebuilt, `read_model_unavailable`
   */
  removeOfEntity(entity: EntityRef, upTo: Position, bounds: RemovalBounds): Promise<Removal>;
}
