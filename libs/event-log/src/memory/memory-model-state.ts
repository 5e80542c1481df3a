import type {
  EncodedEnvelope,
  EncodedRecordedEvent,
  EventFamily,
  Position,
  RecordedEvent,
  Recording,
} from '@sluice/event-schema';
import { currentRecordedEvent } from '../current-event';
import { mayMatch, type EventFilter } from '../filter';
import { BEFORE_FIRST, newEpoch, toPosition } from '../position';
import type { Lane, LaneCheckpoints } from '../ports/durable-log';
import { ProjectionFailed, type EntitySummary, type RecordedPage } from '../ports/read-model';
import type { EntityRef } from '../ports/removed-events';

/** Runs on every new event before it is kept; what it throws rejects the batch. */
export type CheckEvent = (event: RecordedEvent) => void;

/** What is left of an event that was removed. */
export type RemovedRow = Pick<
  RecordedEvent,
  'position' | 'id' | 'workspaceId' | 'family' | 'entityId' | 'entitySequence' | 'occurredAt' | 'recordedAt'
>;

/** What is at a position: an event, or what is left of one. */
export type MemorySlot = { readonly kept: EncodedRecordedEvent } | { readonly removed: RemovedRow };

interface Floor {
  readonly workspaceId: number;
  readonly family: EventFamily;
  readonly position: Position;
  readonly revision: number;
}

/** Everything of a read model in memory that comes from the log, or from removing: what a rebuild makes anew. */
export class MemoryModelState {
  /** Position 1 is the first. */
  readonly slots: MemorySlot[] = [];
  /** Bytes of the envelope as it was given, by event. */
  readonly sizes = new Map<EncodedRecordedEvent, number>();
  readonly byId = new Map<string, RecordedEvent>();
  readonly removedById = new Map<string, RemovedRow>();
  readonly entities = new Map<string, EntitySummary>();
  readonly checkpoints = new Map<Lane, number>();
  readonly floors = new Map<string, Floor>();

  constructor(
    private readonly check: CheckEvent | undefined,
    public epoch = newEpoch(),
  ) {}

  get lastPosition(): Position {
    return toPosition(this.slots.length);
  }

  slotAt(position: number): MemorySlot | undefined {
    return this.slots[position - 1];
  }

  /** The events that are kept, in position order. */
  get events(): EncodedRecordedEvent[] {
    return this.slots.flatMap((slot) => ('kept' in slot ? [slot.kept] : []));
  }

  /** All of them or, when one is rejected, none. Ids that are known are skipped. @throws ProjectionFailed */
  record(envelopes: readonly EncodedEnvelope[], recordedAt: number): readonly EncodedRecordedEvent[] {
    const recorded: { readonly encoded: EncodedRecordedEvent; readonly envelope: EncodedEnvelope }[] = [];
    const counts = new Map<string, number>();
    const ids = new Set<string>();
    for (const envelope of envelopes) {
      const { event } = envelope;
      if (this.byId.has(event.id) || this.removedById.has(event.id) || ids.has(event.id)) continue;
      ids.add(event.id);
      const key = keyOf(event);
      const entitySequence = (counts.get(key) ?? this.entities.get(key)?.eventCount ?? 0) + 1;
      counts.set(key, entitySequence);
      const position = toPosition(this.slots.length + recorded.length + 1);
      recorded.push({ encoded: this.project(envelope, { position, entitySequence, recordedAt }), envelope });
    }
    // From here on nothing fails.
    for (const { encoded, envelope } of recorded) this.keep(encoded, envelope);
    return recorded.map(({ encoded }) => encoded);
  }

  /** The next event, as another model has recorded it. False when it is rejected: then it is kept all the same. */
  restore(envelope: EncodedEnvelope, recording: Recording): boolean {
    try {
      this.keep(this.project(envelope, recording), envelope);
      return true;
    } catch (error) {
      if (!(error instanceof ProjectionFailed)) throw error;
      this.keep(currentRecordedEvent(envelope, recording), envelope);
      return false;
    }
  }

  /** The next position, of an event that another model has removed and of which nothing more is known. */
  restoreRemoved(row: RemovedRow): void {
    this.slots.push({ removed: row });
    this.removedById.set(row.id, row);
    this.count(row);
  }

  /** What is left is its position, its id and its place in its entity. */
  remove(event: RecordedEvent): void {
    const slot = this.slotAt(event.position);
    if (slot === undefined || !('kept' in slot)) return;
    const { position, id, workspaceId, family, entityId, entitySequence, occurredAt, recordedAt } = event;
    const removed = { position, id, workspaceId, family, entityId, entitySequence, occurredAt, recordedAt };
    this.slots[position - 1] = { removed };
    this.sizes.delete(slot.kept);
    this.byId.delete(id);
    this.removedById.set(id, removed);
  }

  /** Another text of an event that is kept. */
  replace(encoded: EncodedRecordedEvent, { json }: EncodedEnvelope): void {
    const slot = this.slotAt(encoded.event.position);
    if (slot === undefined || !('kept' in slot)) return;
    this.slots[encoded.event.position - 1] = { kept: encoded };
    this.sizes.delete(slot.kept);
    this.sizes.set(encoded, Buffer.byteLength(json));
    this.byId.set(encoded.event.id, encoded.event);
  }

  entityOf(entity: EntityRef): EntitySummary | undefined {
    return this.entities.get(keyOf(entity));
  }

  raiseFloor({ workspaceId, family, position }: Omit<Floor, 'revision'>): void {
    const key = `${workspaceId}/${family}`;
    if (position <= (this.floors.get(key)?.position ?? BEFORE_FIRST)) return;
    const revision = Math.max(0, ...[...this.floors.values()].map((floor) => floor.revision)) + 1;
    this.floors.set(key, { workspaceId, family, position, revision });
  }

  /** The floors of another model are those of this one. */
  takeFloors({ floors }: MemoryModelState): void {
    for (const [key, floor] of floors) this.floors.set(key, floor);
  }

  /** See RecordedPage. */
  removalsFor(filter: EventFilter, knownRevision = 0): Pick<RecordedPage, 'floor' | 'lost' | 'revision'> {
    const floors = [...this.floors.values()].filter(({ workspaceId, family }) => mayMatch(filter, workspaceId, family));
    const highest = (of: readonly Floor[]) => toPosition(Math.max(BEFORE_FIRST, ...of.map(({ position }) => position)));
    return {
      floor: highest(floors),
      lost: highest(floors.filter(({ revision }) => revision > knownRevision)),
      revision: Math.max(0, ...floors.map(({ revision }) => revision)),
    };
  }

  /** Checkpoints never move back. */
  reach(checkpoints: LaneCheckpoints): void {
    for (const [lane, next] of checkpoints) {
      this.checkpoints.set(lane, Math.max(next, this.checkpoints.get(lane) ?? 0));
    }
  }

  private keep(encoded: EncodedRecordedEvent, { json }: EncodedEnvelope): void {
    this.slots.push({ kept: encoded });
    this.sizes.set(encoded, Buffer.byteLength(json));
    this.byId.set(encoded.event.id, encoded.event);
    this.count(encoded.event);
  }

  private count(event: RemovedRow): void {
    const { workspaceId, family, entityId, position, entitySequence, occurredAt } = event;
    const key = keyOf(event);
    this.entities.set(key, {
      workspaceId,
      family,
      entityId,
      eventCount: entitySequence,
      firstPosition: this.entities.get(key)?.firstPosition ?? position,
      lastPosition: position,
      lastOccurredAt: occurredAt,
    });
  }

  private project(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
    try {
      const encoded = currentRecordedEvent(envelope, recording);
      this.check?.(encoded.event);
      return encoded;
    } catch (error) {
      throw new ProjectionFailed(envelope.event.id, error);
    }
  }
}

function keyOf({ workspaceId, family, entityId }: EntityRef): string {
  return JSON.stringify([workspaceId, family, entityId]);
}
