import { SluiceError } from '../errors';
import type {
  ReadModelRebuilds,
  RebuildRequest,
  RebuildState,
  RebuildStatus,
  RebuildWork,
} from '../ports/read-model-rebuild';
import type { CheckEvent, MemoryModelState } from './memory-model-state';
import type { MemoryParkedRecords } from './memory-parked-records';
import { MemoryRebuildWork, NextModel } from './memory-rebuild-work';

/** What a rebuild does to the model that it rebuilds. */
export interface RebuiltModel {
  readonly project: CheckEvent | undefined;
  readonly parked: MemoryParkedRecords;
  live(): MemoryModelState;
  /** Nobody records until it resolves. */
  hold(until: Promise<void>): void;
  exchange(next: MemoryModelState): void;
  isErased(): boolean;
}

/** One rebuild, as it is noted. */
export interface NotedRebuild extends RebuildRequest {
  readonly rebuildId: number;
  readonly requestedAt: number;
  state: RebuildState;
  finishedAt?: number;
  holder: string;
  fencingToken: number;
  expiresAt: number;
  attempts: number;
  fault?: string;
  next: NextModel;
}

/** ReadModelRebuilds in memory. The former model is kept in name only. */
export class MemoryReadModelRebuilds implements ReadModelRebuilds {
  private newest: NotedRebuild | undefined;
  private oldModelKept = false;

  constructor(private readonly model: RebuiltModel) {}

  async request({ positions, dropOld }: RebuildRequest): Promise<RebuildStatus> {
    if (this.oldModelKept) throw new SluiceError('conflict', 'The former model of an earlier rebuild is still there');
    if (this.open) throw new SluiceError('conflict', 'A rebuild is under way already');
    if (this.model.isErased()) throw new SluiceError('conflict', 'An erasure is open');
    this.newest = {
      rebuildId: (this.newest?.rebuildId ?? 0) + 1,
      requestedAt: Date.now(),
      positions,
      dropOld,
      state: 'building',
      holder: '',
      fencingToken: 0,
      expiresAt: 0,
      attempts: 0,
      next: new NextModel(this.model, positions),
    };
    return this.statusOf(this.newest);
  }

  async status(): Promise<RebuildStatus | undefined> {
    return this.newest && this.statusOf(this.newest);
  }

  async abort(): Promise<RebuildStatus> {
    if (!this.open) throw new SluiceError('conflict', 'No rebuild is under way');
    this.open.state = 'aborting';
    return this.statusOf(this.open);
  }

  async dropOld(): Promise<boolean> {
    const dropped = this.oldModelKept;
    this.oldModelKept = false;
    return dropped;
  }

  async claim(holder: string, leaseMs: number): Promise<RebuildWork | undefined> {
    const { open } = this;
    if (!open || open.expiresAt > Date.now()) return undefined;
    Object.assign(open, { holder, fencingToken: open.fencingToken + 1, expiresAt: Date.now() + leaseMs });
    return new MemoryRebuildWork(this.model, open, () => (this.oldModelKept = true));
  }

  get hasOldModel(): boolean {
    return this.oldModelKept;
  }

  get isUnderWay(): boolean {
    return this.open !== undefined;
  }

  private get open(): NotedRebuild | undefined {
    return this.newest?.finishedAt === undefined ? this.newest : undefined;
  }

  private statusOf(noted: NotedRebuild): RebuildStatus {
    const { rebuildId, positions, dropOld, state, requestedAt, finishedAt, attempts, fault, next } = noted;
    const isHeld = finishedAt === undefined && noted.holder !== '' && noted.expiresAt > Date.now();
    return {
      ...{ rebuildId, positions, dropOld, state, requestedAt, attempts },
      ...(finishedAt === undefined ? {} : { finishedAt }),
      ...(isHeld ? { holder: noted.holder } : {}),
      ...(fault === undefined ? {} : { fault }),
      builtEvents: next.state.lastPosition,
      liveEvents: this.model.live().lastPosition,
      leftOutEvents: next.leftOut,
      oldModelKept: this.oldModelKept,
    };
  }
}
