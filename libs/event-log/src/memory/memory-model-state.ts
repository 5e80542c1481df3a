import type { EncodedEnvelope, EncodedRecordedEvent, RecordedEvent, Recording } from '@sluice/event-schema';
import { currentRecordedEvent } from '../current-event';
import { newEpoch, toPosition } from '../position';
import type { Lane, LaneCheckpoints } from '../ports/durable-log';
import { ProjectionFailed, type EntitySummary } from '../ports/read-model';

/** Runs on every new event before it is kept; what it throws rejects the batch. */
export type CheckEvent = (event: RecordedEvent) => void;

/** Everything of a read model in memory that comes from the log: what a rebuild makes anew. */
export class MemoryModelState {
  readonly events: EncodedRecordedEvent[] = [];
  /** Bytes of the envelope as it was given, by event. */
  readonly sizes = new Map<EncodedRecordedEvent, number>();
  readonly byId = new Map<string, RecordedEvent>();
  readonly entities = new Map<string, EntitySummary>();
  readonly checkpoints = new Map<Lane, number>();

  constructor(
    private readonly check: CheckEvent | undefined,
    readonly epoch = newEpoch(),
  ) {}

  /** All of them or, when one is rejected, none. Ids that are known are skipped. @throws ProjectionFailed */
  record(envelopes: readonly EncodedEnvelope[], recordedAt: number): readonly EncodedRecordedEvent[] {
    const recorded: { readonly encoded: EncodedRecordedEvent; readonly envelope: EncodedEnvelope }[] = [];
    const counts = new Map<string, number>();
    const ids = new Set<string>();
    for (const envelope of envelopes) {
      const { event } = envelope;
      if (this.byId.has(event.id) || ids.has(event.id)) continue;
      ids.add(event.id);
      const key = keyOf(event);
      const entitySequence = (counts.get(key) ?? this.entities.get(key)?.eventCount ?? 0) + 1;
      counts.set(key, entitySequence);
      const position = toPosition(this.events.length + recorded.length + 1);
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

  /** Checkpoints never move back. */
  reach(checkpoints: LaneCheckpoints): void {
    for (const [lane, next] of checkpoints) {
      this.checkpoints.set(lane, Math.max(next, this.checkpoints.get(lane) ?? 0));
    }
  }

  private keep(encoded: EncodedRecordedEvent, { event, json }: EncodedEnvelope): void {
    const key = keyOf(event);
    const { position, entitySequence } = encoded.event;
    this.events.push(encoded);
    this.sizes.set(encoded, Buffer.byteLength(json));
    this.byId.set(event.id, encoded.event);
    this.entities.set(key, {
      workspaceId: event.workspaceId,
      family: event.family,
      entityId: event.entityId,
      eventCount: entitySequence,
      firstPosition: this.entities.get(key)?.firstPosition ?? position,
      lastPosition: position,
      lastOccurredAt: event.occurredAt,
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

function keyOf({ workspaceId, family, entityId }: EncodedEnvelope['event']): string {
  return JSON.stringify([workspaceId, family, entityId]);
}
