import type { EncodedEnvelope } from '@sluice/event-schema';
import { assertNotLost, targetsOf } from '../checkpoint-lost';
import { SluiceError } from '../errors';
import type { Lane, LaneCheckpoints } from '../ports/durable-log';
import { ProjectionFailed, type ParkedRecord } from '../ports/read-model';
import type {
  LogBounds,
  RebuildBatch,
  RebuildEvent,
  RebuildPositions,
  RebuildRemainder,
  RebuildWork,
  SwitchOutcome,
} from '../ports/read-model-rebuild';
import { MemoryModelState } from './memory-model-state';
import type { NotedRebuild, RebuiltModel } from './memory-rebuilds';

/** Most events that a switch records because the live model lacks them. */
const MAX_LACKING = 1_000;

/** The model beside the live one. */
export class NextModel {
  readonly state: MemoryModelState;
  /** Envelopes by the positions that they have in the live model; variants have another text than there. */
  readonly copied = new Map<number, EncodedEnvelope>();
  readonly variants = new Map<number, EncodedEnvelope>();
  /** Events of the log that the live model lacks, by lane and index. */
  readonly lacking = new Map<string, RebuildEvent>();
  readonly parked: ParkedRecord[] = [];
  /** Up to here what is removed from the live model, and is not in the log either, is carried over as it is. */
  carriedUpTo = 0;
  leftOut = 0;

  constructor(model: RebuiltModel, positions: RebuildPositions) {
    this.state = new MemoryModelState(model.project, positions === 'keep' ? model.live().epoch : undefined);
  }
}

/** RebuildWork in memory: the readable specification of the port. */
export class MemoryRebuildWork implements RebuildWork {
  readonly rebuildId: number;
  readonly positions: RebuildPositions;
  private readonly fencingToken: number;

  constructor(
    private readonly model: RebuiltModel,
    private readonly noted: NotedRebuild,
    private readonly onSwitched: () => void,
  ) {
    this.rebuildId = noted.rebuildId;
    this.positions = noted.positions;
    this.fencingToken = noted.fencingToken;
  }

  /** The rebuild, while it is this process's. */
  private get own(): NotedRebuild {
    if (this.noted.fencingToken === this.fencingToken && this.noted.finishedAt === undefined) return this.noted;
    throw new SluiceError('conflict', 'The rebuild is over, or somebody else is at it');
  }

  async prepare(): Promise<void> {
    void this.own;
  }

  async loadCheckpoints(lanes: readonly Lane[]): Promise<LaneCheckpoints> {
    return new Map([...this.own.next.state.checkpoints].filter(([lane]) => lanes.includes(lane)));
  }

  async copy(batch: RebuildBatch): Promise<LaneCheckpoints> {
    const { next } = this.own;
    assertNotLost(batch.checkpoints, next.state.checkpoints);
    const targets = targetsOf(batch.checkpoints);
    if (this.positions === 'renumber') {
      const envelopes = batch.events.map(({ envelope }) => envelope);
      // It has its effect on the projections, and is not kept here either.
      for (const { event } of next.state.record(envelopes, Date.now())) {
        if (this.model.live().removedById.has(event.id)) next.state.remove(event);
      }
      next.parked.push(...batch.parked);
      next.state.reach(targets);
      return targets;
    }
    const live = this.model.live();
    for (const event of batch.events) {
      const { lane, index, envelope } = event;
      if (index >= (live.checkpoints.get(lane) ?? 0)) continue;
      const known = live.byId.get(envelope.event.id) ?? live.removedById.get(envelope.event.id);
      if (known) this.copyKnown(envelope, known.position);
      else if (!this.model.parked.has(lane, index) && next.lacking.size <= MAX_LACKING)
        next.lacking.set(`${lane} ${index}`, event);
    }
    const reached = new Map<Lane, number>();
    for (const [lane, upTo] of targets) {
      const handled = Math.min(upTo, live.checkpoints.get(lane) ?? 0);
      if (handled > 0) reached.set(lane, handled);
    }
    next.state.reach(reached);
    return reached;
  }

  /** A second event with a known id was skipped; it counts only where there is no other. */
  private copyKnown(envelope: EncodedEnvelope, position: number): void {
    const { copied, variants } = this.own.next;
    const slot = this.model.live().slotAt(position);
    if (slot === undefined) return;
    const live = 'kept' in slot ? slot.kept.event : slot.removed;
    const { entityId, family, workspaceId, type, occurredAt } = envelope.event;
    const isExact =
      [entityId, family, workspaceId, occurredAt].join() ===
        [live.entityId, live.family, live.workspaceId, live.occurredAt].join() &&
      (!('type' in live) || live.type === type);
    const target = isExact ? copied : variants;
    if (!target.has(position)) target.set(position, envelope);
  }

  async project(): Promise<number> {
    const { next } = this.own;
    const before = next.state.lastPosition;
    if (this.positions === 'renumber') return 0;
    while (this.projectNext(next));
    return next.state.lastPosition - before;
  }

  private projectNext({ state, copied, carriedUpTo }: NextModel): boolean {
    const position = state.lastPosition + 1;
    const slot = this.model.live().slotAt(position);
    const envelope = copied.get(position);
    if (slot === undefined) return false;
    if (envelope) {
      const recording = 'kept' in slot ? slot.kept.event : slot.removed;
      if (!state.restore(envelope, recording)) this.own.next.leftOut++;
      copied.delete(position);
      const restored = state.slotAt(position);
      if ('removed' in slot && restored && 'kept' in restored) state.remove(restored.kept.event);
    } else {
      if (!('removed' in slot) || position > carriedUpTo) return false;
      state.restoreRemoved(slot.removed);
      this.own.next.leftOut++;
    }
    return true;
  }

  async remainder({ starts, ends }: LogBounds): Promise<RebuildRemainder> {
    const { next } = this.own;
    const live = this.model.live();
    let records = 0;
    let unread = 0;
    for (const lane of new Set([...live.checkpoints.keys(), ...ends.keys()])) {
      const [end, handled] = [ends.get(lane) ?? 0, live.checkpoints.get(lane)];
      const reached = Math.max(next.state.checkpoints.get(lane) ?? 0, starts.get(lane) ?? 0);
      const target = this.positions === 'keep' ? (handled ?? end) : Math.max(handled ?? 0, end);
      records += Math.max(0, target - reached);
      unread += Math.max(0, end - reached);
    }
    const events = this.positions === 'keep' ? live.lastPosition - next.state.lastPosition : 0;
    return { records, unread, events };
  }

  async fillHoles(): Promise<string | undefined> {
    const { next } = this.own;
    for (const [position, envelope] of next.variants) {
      if (!next.copied.has(position) && position > next.state.lastPosition) next.copied.set(position, envelope);
    }
    const live = this.model.live();
    next.carriedUpTo = live.lastPosition;
    const position = next.state.lastPosition + 1;
    const slot = live.slotAt(position);
    if (next.copied.has(position) || slot === undefined || 'removed' in slot) return undefined;
    const { id } = slot.kept.event;
    return `the log has no event that can be read with the id ${id}, which is at position ${position}`;
  }

  async renew(leaseMs: number): Promise<'building' | 'aborting'> {
    this.own.expiresAt = Date.now() + leaseMs;
    return this.own.state === 'aborting' ? 'aborting' : 'building';
  }

  async switchOver(settle: () => Promise<boolean>): Promise<SwitchOutcome> {
    void this.own;
    let release: () => void = () => undefined;
    this.model.hold(new Promise((resolve) => (release = resolve)));
    try {
      if (!(await settle()) || this.own.state === 'aborting') {
        this.own.attempts++;
        return 'not_yet';
      }
      const { next } = this.own;
      this.recordLacking();
      // In a numbering of its own nobody has seen anything that is gone.
      if (this.positions === 'keep') next.state.takeFloors(this.model.live());
      if (this.positions === 'keep') next.state.epoch = this.model.live().epoch;
      if (this.positions === 'renumber') this.model.parked.replaceBy(next.parked);
      this.model.exchange(next.state);
      this.finish('switched');
      this.onSwitched();
      return 'switched';
    } finally {
      release();
    }
  }

  /** The projectors are past it. What is rejected is parked. */
  private recordLacking(): void {
    const { next } = this.own;
    const [first] = next.lacking.values();
    if (first && next.lacking.size > MAX_LACKING) {
      const where = `the first is ${first.envelope.event.id}, at index ${first.index} of lane ${first.lane}`;
      throw new SluiceError(
        'configuration',
        `Positions cannot be kept: the live model lacks too many events, ${where}`,
      );
    }
    for (const { lane, index, envelope } of next.lacking.values()) {
      try {
        next.state.record([envelope], Date.now());
      } catch (error) {
        if (!(error instanceof ProjectionFailed)) throw error;
        const { id: eventId, workspaceId } = envelope.event;
        const value = Buffer.from(envelope.json);
        const detail = String(error.cause);
        this.model.parked.add([{ lane, index, value, reason: 'projection_failed', detail, workspaceId, eventId }]);
      }
    }
  }

  async discard(reason?: string): Promise<void> {
    void this.own;
    if (reason !== undefined) this.noted.fault = reason;
    this.finish(reason === undefined ? 'aborted' : 'failed');
  }

  async note(fault: string): Promise<void> {
    this.own.fault = fault;
  }

  async release(): Promise<void> {
    Object.assign(this.own, { holder: '', expiresAt: 0 });
  }

  private finish(state: 'switched' | 'aborted' | 'failed'): void {
    Object.assign(this.noted, { state, finishedAt: Date.now(), holder: '' });
  }
}
