import type { EncodedRecordedEvent, Position, RecordedEvent } from '@sluice/event-schema';
import { assertNotLost, targetsOf } from '../checkpoint-lost';
import { compileFilter } from '../filter';
import { BEFORE_FIRST, newEpoch, toPosition } from '../position';
import type { Lane, LaneCheckpoints } from '../ports/durable-log';
import type {
  EntitySummary,
  Head,
  ListEntitiesOptions,
  PublisherGrant,
  ReadAllOptions,
  ReadEventsOptions,
  ReadModel,
  RecordBatch,
  RecordedPage,
  RecordedRange,
  RecordedWitness,
  RecordOutcome,
  RemovedEvent,
} from '../ports/read-model';
import type { EntityRef } from '../ports/removed-events';
import { MemoryErasures } from './memory-erasures';
import { MemoryModelState, type CheckEvent, type RemovedRow } from './memory-model-state';
import { MemoryParkedRecords } from './memory-parked-records';
import { MemoryReadModelRebuilds } from './memory-rebuilds';
import { MemoryRemovedEvents } from './memory-removed-events';
import { MemoryEventRetention } from './memory-retention';

export interface MemoryReadModelOptions {
  /** Runs on every new event before it is kept; what it throws rejects the batch. */
  readonly project?: CheckEvent;
}

/** ReadModel in the memory of one process: for tests, and the readable specification of the port. */
export class MemoryReadModel implements ReadModel {
  readonly parked = new MemoryParkedRecords();
  readonly rebuilds: MemoryReadModelRebuilds;
  readonly removed: MemoryRemovedEvents;
  readonly retention: MemoryEventRetention;
  readonly erasures: MemoryErasures;
  /** Rises when what past events made is to be made anew. */
  revision = 0;
  private state: MemoryModelState;
  private readonly listeners = new Set<() => void>();
  private lease = { holder: '', fencingToken: 0, published: BEFORE_FIRST, expiresAt: 0 };
  /** Until it resolves nobody records. */
  private held: Promise<void> | undefined;

  constructor({ project }: MemoryReadModelOptions = {}) {
    this.state = new MemoryModelState(project);
    this.rebuilds = new MemoryReadModelRebuilds({
      project,
      parked: this.parked,
      live: () => this.state,
      hold: (until) => this.hold(until),
      exchange: (next) => this.exchange(next),
      isErased: () => this.erasures.isUnderWay,
    });
    const state = () => this.state;
    const isRebuilding = () => this.rebuilds.isUnderWay;
    this.removed = new MemoryRemovedEvents(state, isRebuilding);
    this.retention = new MemoryEventRetention(state, isRebuilding);
    this.erasures = new MemoryErasures({
      parked: this.parked,
      live: () => this.state,
      isRebuilt: () => this.rebuilds.isUnderWay || this.rebuilds.hasOldModel,
      published: () => this.lease.published,
      changed: () => this.revision++,
    });
  }

  async record({ envelopes, parked, checkpoints }: RecordBatch): Promise<RecordOutcome> {
    while (this.held) await this.held;
    assertNotLost(checkpoints, this.state.checkpoints);
    const recorded = this.state.record(envelopes, Date.now());
    this.parked.add(parked);
    this.state.reach(targetsOf(checkpoints));
    if (recorded.length > 0) this.tellListeners();
    return { epoch: this.state.epoch, recorded };
  }

  private tellListeners(): void {
    for (const listener of this.listeners) listener();
  }

  private hold(until: Promise<void>): void {
    this.held = until.finally(() => (this.held = undefined));
  }

  /** In a numbering of its own the publisher begins at the head, and whoever had the lease loses it. */
  private exchange(next: MemoryModelState): void {
    if (next.epoch !== this.state.epoch) this.dropLease(next.lastPosition);
    this.state = next;
    this.tellListeners();
  }

  async beginEpochIfLost({ epoch, position, eventId }: RecordedWitness): Promise<boolean> {
    const slot = this.state.slotAt(position);
    const found = slot && ('kept' in slot ? slot.kept.event.id : slot.removed.id);
    if (epoch !== this.state.epoch || found === eventId) return false;
    this.state.epoch = newEpoch();
    this.dropLease(this.state.lastPosition);
    this.tellListeners();
    return true;
  }

  /** Whoever publishes begins after this position, under a new token. */
  private dropLease(published: Position): void {
    this.lease = { holder: '', fencingToken: this.lease.fencingToken + 1, published, expiresAt: 0 };
  }

  async loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return new Map([...this.state.checkpoints].filter(([lane]) => lanes.includes(lane)));
  }

  async head(): Promise<Head> {
    return { epoch: this.state.epoch, position: this.state.lastPosition };
  }

  async read(options: ReadEventsOptions): Promise<RecordedPage> {
    const { after = BEFORE_FIRST, upTo = Infinity, occurredAfter = -Infinity, occurredBefore = Infinity } = options;
    const matches = compileFilter(options.filter);
    const found = this.state.events.filter(
      ({ event }) =>
        event.position > after &&
        event.position <= upTo &&
        event.occurredAt > occurredAfter &&
        event.occurredAt < occurredBefore &&
        matches(event),
    );
    if (options.order === 'descending') found.reverse();
    const candidates = found.slice(0, options.limit);
    const events = this.within(candidates, options.maxBytes);
    const complete = candidates.length < options.limit && events.length === candidates.length;
    return { events, complete, ...this.state.removalsFor(options.filter, options.knownRevision) };
  }

  async readAll({ after, upTo, limit, maxBytes }: ReadAllOptions): Promise<RecordedRange> {
    const slots = this.state.slots.slice(after, Math.min(upTo, after + limit));
    const candidates = slots.flatMap((slot) => ('kept' in slot ? [slot.kept] : []));
    const events = this.within(candidates, maxBytes);
    const leftOut = candidates[events.length];
    const reached = leftOut ? toPosition(leftOut.event.position - 1) : toPosition(after + slots.length);
    const removed = slots.flatMap((slot) =>
      'removed' in slot && slot.removed.position <= reached ? [this.removedEvent(slot.removed)] : [],
    );
    return { events, removed, reached };
  }

  /** Whether there is an event at a position, which was not removed. */
  isKept(position: number): boolean {
    const slot = this.state.slotAt(position);
    return slot !== undefined && 'kept' in slot;
  }

  private removedEvent({ position, workspaceId, family, entityId }: RemovedRow): RemovedEvent {
    const { floor, revision } = this.state.removalsFor({ workspaceIds: [workspaceId], families: [family] });
    return { position, workspaceId, family, entityId, floor, revision };
  }

  private within(events: readonly EncodedRecordedEvent[], maxBytes = Infinity): readonly EncodedRecordedEvent[] {
    let bytes = 0;
    const end = events.findIndex((event, index) => {
      bytes += this.state.sizes.get(event) ?? 0;
      return index > 0 && bytes > maxBytes;
    });
    return end === -1 ? events : events.slice(0, end);
  }

  async findByIds(eventIds: readonly string[]): Promise<ReadonlyMap<string, RecordedEvent>> {
    return new Map(
      eventIds.flatMap((id) => {
        const event = this.state.byId.get(id);
        return event ? [[id, event] as const] : [];
      }),
    );
  }

  async removedAmong(eventIds: readonly string[]): Promise<ReadonlySet<string>> {
    return new Set(eventIds.filter((id) => this.state.removedById.has(id)));
  }

  async findEntity(entity: EntityRef): Promise<EntitySummary | undefined> {
    return this.state.entityOf(entity);
  }

  async listEntities(options: ListEntitiesOptions): Promise<readonly EntitySummary[]> {
    const { workspaceId, family, after, limit } = options;
    const key = (entity: { family: string; entityId: string }) => `${entity.family}/${entity.entityId}`;
    return [...this.state.entities.values()]
      .filter((entity) => entity.workspaceId === workspaceId && (family === undefined || entity.family === family))
      .filter((entity) => after === undefined || key(entity) > key(after))
      .sort((a, b) => (key(a) < key(b) ? -1 : 1))
      .slice(0, limit);
  }

  async acquire(holder: string, leaseMs: number): Promise<PublisherGrant | undefined> {
    const now = Date.now();
    if (this.lease.holder !== holder && this.lease.expiresAt > now) return undefined;
    const fencingToken = this.lease.fencingToken + (this.lease.holder === holder ? 0 : 1);
    this.lease = { ...this.lease, holder, fencingToken, expiresAt: now + leaseMs };
    return { holder, fencingToken, published: this.lease.published };
  }

  async advance(grant: PublisherGrant, published: Position): Promise<boolean> {
    if (grant.fencingToken !== this.lease.fencingToken || grant.holder !== this.lease.holder) return false;
    this.lease.published = toPosition(Math.max(published, this.lease.published));
    return true;
  }

  async release(grant: PublisherGrant): Promise<void> {
    if (grant.fencingToken === this.lease.fencingToken) this.lease = { ...this.lease, holder: '', expiresAt: 0 };
  }

  async onRecorded(listener: () => void): Promise<{ stop(): Promise<void> }> {
    this.listeners.add(listener);
    return { stop: async () => void this.listeners.delete(listener) };
  }

  async check(): Promise<void> {}

  async close(): Promise<void> {}
}
