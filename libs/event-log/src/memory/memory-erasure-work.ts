import {
  encodeEnvelope,
  recordEnvelope,
  type EncodedEnvelope,
  type Position,
  type RecordedEvent,
} from '@sluice/event-schema';
import { SluiceError } from '../errors';
import type { ErasureProgress, ErasureRequest, ErasureStep, ErasureWork } from '../ports/erasures';
import type { EntityRef } from '../ports/removed-events';
import { isRecordOf } from '../record-of-entity';
import { keptOf, parseFieldPointers, type ErasedPart } from '../redact-envelope';
import type { MemoryModelState } from './memory-model-state';
import type { MemoryParkedRecords } from './memory-parked-records';

/** An erasure as it is noted. */
export interface NotedErasure extends ErasureRequest {
  readonly erasureId: number;
  readonly requestedAt: number;
  step: ErasureStep;
  progress: ErasureProgress;
  finishedAt?: number;
  abandonedAt?: number;
  dueAt: number;
  holder: string;
  fencingToken: number;
  expiresAt: number;
  erasedEvents: number;
  erasedParked: number;
  fault?: string | undefined;
}

/** What an erasure needs of a read model in memory. */
export interface ErasedModel {
  readonly parked: MemoryParkedRecords;
  live(): MemoryModelState;
  /** A rebuild is under way, or its former model is kept. */
  isRebuilt(): boolean;
  published(): Position;
  /** What events made is to be made anew. */
  changed(): void;
}

/** ErasureWork in memory: each step is done at once. */
export class MemoryErasureWork implements ErasureWork {
  readonly erasureId: number;
  readonly entity: EntityRef;
  readonly fields: readonly string[];
  private readonly fencingToken: number;

  constructor(
    private readonly model: ErasedModel,
    private readonly noted: NotedErasure,
  ) {
    this.erasureId = noted.erasureId;
    this.entity = noted.entity;
    this.fields = noted.fields;
    this.fencingToken = noted.fencingToken;
  }

  get step(): ErasureStep {
    return this.noted.step;
  }

  get progress(): ErasureProgress {
    return this.noted.progress;
  }

  async requireHeld(): Promise<void> {
    this.requireOwn();
  }

  async advance(step: ErasureStep, progress: ErasureProgress = {}, dueInMs = 0): Promise<void> {
    const { own } = this;
    own.step = step;
    own.progress = { ...own.progress, ...progress };
    own.dueAt = Date.now() + dueInMs;
    own.fault = undefined;
  }

  async *kept(): AsyncGenerator<readonly EncodedEnvelope[]> {
    this.requireOwn();
    const part = this.part();
    const kept = this.events().flatMap((event) => keptOf(envelopeOf(event), event.position, part) ?? []);
    if (kept.length > 0) yield kept;
  }

  async eraseEvents(): Promise<boolean> {
    const { own, model } = this;
    const part = this.part();
    const state = model.live();
    for (const event of this.events()) {
      const { position, entitySequence, recordedAt } = event;
      const before = envelopeOf(event);
      const after = keptOf(before, position, part);
      if (after?.json === before.json) continue;
      if (after) state.replace(recordEnvelope(after, { position, entitySequence, recordedAt }), after);
      else state.remove(event);
      own.erasedEvents++;
    }
    return false;
  }

  async projectAnew(): Promise<void> {
    this.requireOwn();
    this.model.changed();
  }

  async eraseParked(): Promise<boolean> {
    const { own, model } = this;
    const { workspaceId } = this.entity;
    own.erasedParked += model.parked.removeWhere(
      (record) =>
        (record.workspaceId === undefined || record.workspaceId === workspaceId) &&
        isRecordOf(this.entity, record.value),
    );
    return false;
  }

  async published(): Promise<Position> {
    return this.model.published();
  }

  async eraseElsewhere(): Promise<'done'> {
    this.requireOwn();
    return 'done';
  }

  async renew(leaseMs: number): Promise<void> {
    this.own.expiresAt = Date.now() + leaseMs;
  }

  async note(fault: string): Promise<void> {
    this.own.fault = fault;
  }

  async release(dueInMs: number): Promise<void> {
    const { own } = this;
    own.holder = '';
    own.expiresAt = 0;
    own.dueAt = Math.max(own.dueAt, Date.now() + dueInMs);
  }

  async finish(): Promise<void> {
    const { own } = this;
    own.finishedAt = Date.now();
    own.fault = undefined;
  }

  private events() {
    const { workspaceId, family, entityId } = this.entity;
    const all = this.model.live().events.map(({ event }) => event);
    return all.filter((e) => e.workspaceId === workspaceId && e.family === family && e.entityId === entityId);
  }

  private part(): ErasedPart {
    const { upTo } = this.progress;
    if (upTo === undefined) throw new SluiceError('internal', 'It is not known yet which events are erased');
    return { upTo, paths: parseFieldPointers(this.fields) };
  }

  private get own(): NotedErasure {
    this.requireOwn();
    return this.noted;
  }

  private requireOwn(): void {
    if (isOpen(this.noted) && this.noted.fencingToken === this.fencingToken) return;
    throw new SluiceError('conflict', 'The erasure is over, or somebody else is at it');
  }
}

/** Neither done nor abandoned. */
export function isOpen({ finishedAt, abandonedAt }: NotedErasure): boolean {
  return finishedAt === undefined && abandonedAt === undefined;
}

function envelopeOf({
  position: _,
  entitySequence: _sequence,
  recordedAt: _at,
  ...event
}: RecordedEvent): EncodedEnvelope {
  return encodeEnvelope(event);
}
