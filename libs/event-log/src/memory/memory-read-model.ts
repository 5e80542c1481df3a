import type { EncodedEnvelope, EncodedRecordedEvent, Position, RecordedEvent, Recording } from '@sluice/event-schema';
import { currentRecordedEvent } from '../current-event';
import { compileFilter } from '../filter';
import { BEFORE_FIRST, newEpoch, toPosition } from '../position';
import type { Lane, LaneCheckpoints } from '../ports/durable-log';
import {
  ProjectionFailed,
  type EntitySummary,
  type Head,
  type ListEntitiesOptions,
  type PublisherGrant,
  type ReadAllOptions,
  type ReadEventsOptions,
  type ReadModel,
  type RecordBatch,
  type RecordedPage,
  type RecordOutcome,
} from '../ports/read-model';
import { MemoryParkedRecords } from './memory-parked-records';

export interface MemoryReadModelOptions {
  /** Runs on every new event before it is kept; what it throws rejects the batch. */
  readonly project?: (event: RecordedEvent) => void;
}

/** ReadModel in the memory of one process: for tests, and the readable specification of the port. */
export class MemoryReadModel implements ReadModel {
  readonly parked = new MemoryParkedRecords();
  private readonly epoch = newEpoch();
  private readonly events: EncodedRecordedEvent[] = [];
  /** Bytes of the envelope as it was given, by event. */
  private readonly sizes = new Map<EncodedRecordedEvent, number>();
  private readonly byId = new Map<string, RecordedEvent>();
  private readonly entities = new Map<string, EntitySummary>();
  private readonly checkpoints = new Map<Lane, number>();
  private readonly listeners = new Set<() => void>();
  private lease = { holder: '', fencingToken: 0, published: BEFORE_FIRST, expiresAt: 0 };

  constructor(private readonly options: MemoryReadModelOptions = {}) {}

  async record({ envelopes, parked, checkpoints }: RecordBatch): Promise<RecordOutcome> {
    const recorded: EncodedRecordedEvent[] = [];
    const sizes: number[] = [];
    const entities = new Map<string, EntitySummary>();
    const ids = new Set<string>();
    for (const envelope of envelopes) {
      const { event } = envelope;
      if (this.byId.has(event.id) || ids.has(event.id)) continue;
      ids.add(event.id);
      const key = JSON.stringify([event.workspaceId, event.family, event.entityId]);
      const position = toPosition(this.events.length + recorded.length + 1);
      const before = entities.get(key) ?? this.entities.get(key);
      const entitySequence = (before?.eventCount ?? 0) + 1;
      const encoded = this.project(envelope, { position, entitySequence, recordedAt: Date.now() });
      recorded.push(encoded);
      sizes.push(Buffer.byteLength(envelope.json));
      entities.set(key, {
        workspaceId: event.workspaceId,
        family: event.family,
        entityId: event.entityId,
        eventCount: entitySequence,
        firstPosition: before?.firstPosition ?? position,
        lastPosition: position,
        lastOccurredAt: event.occurredAt,
      });
    }
    // From here on nothing fails: all of the batch or none of it.
    for (const [index, encoded] of recorded.entries()) {
      this.events.push(encoded);
      this.sizes.set(encoded, sizes[index] ?? 0);
      this.byId.set(encoded.event.id, encoded.event);
    }
    for (const [key, entity] of entities) this.entities.set(key, entity);
    this.parked.add(parked);
    for (const [lane, next] of checkpoints) {
      this.checkpoints.set(lane, Math.max(next, this.checkpoints.get(lane) ?? 0));
    }
    if (recorded.length > 0) for (const listener of this.listeners) listener();
    return { epoch: this.epoch, recorded };
  }

  private project(envelope: EncodedEnvelope, recording: Recording): EncodedRecordedEvent {
    try {
      const encoded = currentRecordedEvent(envelope, recording);
      this.options.project?.(encoded.event);
      return encoded;
    } catch (error) {
      throw new ProjectionFailed(envelope.event.id, error);
    }
  }

  async loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return new Map([...this.checkpoints].filter(([lane]) => lanes.includes(lane)));
  }

  async head(): Promise<Head> {
    return { epoch: this.epoch, position: toPosition(this.events.length) };
  }

  async read(options: ReadEventsOptions): Promise<RecordedPage> {
    const { after = BEFORE_FIRST, upTo = Infinity, occurredAfter = -Infinity, occurredBefore = Infinity } = options;
    const matches = compileFilter(options.filter);
    const found = this.events.filter(
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
    return { events, complete: candidates.length < options.limit && events.length === candidates.length };
  }

  async readAll({ after, upTo, limit, maxBytes }: ReadAllOptions): Promise<readonly EncodedRecordedEvent[]> {
    return this.within(this.events.slice(after, Math.min(upTo, after + limit)), maxBytes);
  }

  private within(events: readonly EncodedRecordedEvent[], maxBytes = Infinity): readonly EncodedRecordedEvent[] {
    let bytes = 0;
    const end = events.findIndex((event, index) => {
      bytes += this.sizes.get(event) ?? 0;
      return index > 0 && bytes > maxBytes;
    });
    return end === -1 ? events : events.slice(0, end);
  }

  async findByIds(eventIds: readonly string[]): Promise<ReadonlyMap<string, RecordedEvent>> {
    return new Map(
      eventIds.flatMap((id) => {
        const event = this.byId.get(id);
        return event ? [[id, event] as const] : [];
      }),
    );
  }

  async listEntities(options: ListEntitiesOptions): Promise<readonly EntitySummary[]> {
    const { workspaceId, family, after, limit } = options;
    const key = (entity: { family: string; entityId: string }) => `${entity.family}/${entity.entityId}`;
    return [...this.entities.values()]
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
