import { SluiceError } from '@sluice/event-log';
import type { WorkspaceSignals } from '../signals';

export interface EntityLockLimits {
  /** Most commands that wait for one entity. */
  readonly waitingPerEntity: number;
  /** Most commands that wait or run in all. */
  readonly total: number;
}

const ENTITY_LOCK_LIMITS: EntityLockLimits = { waitingPerEntity: 100, total: 10_000 };

/** Lets one command at a time work on an entity, in the order in which they came. Of this process only. */
export class EntityLocks {
  private readonly queues = new Map<string, { last: Promise<void>; size: number }>();
  private total = 0;

  constructor(
    private readonly signals: Pick<WorkspaceSignals, 'refusedChange'>,
    private readonly limits: EntityLockLimits = ENTITY_LOCK_LIMITS,
  ) {}

  /** @throws SluiceError `overloaded` when too many wait already, and whatever `work` throws. */
  async run<T>(workspaceId: number, entityId: string, work: () => Promise<T>): Promise<T> {
    const key = `${workspaceId}/${entityId}`;
    const queue = this.queues.get(key) ?? { last: Promise.resolve(), size: 0 };
    const isLong = queue.size > this.limits.waitingPerEntity;
    if (isLong || this.total >= this.limits.total) {
      this.signals.refusedChange(isLong ? 'entity' : 'total');
      const what = isLong ? 'Too many changes of the same thing wait' : 'Too many changes wait';
      throw new SluiceError('overloaded', what, { retryAfterMs: 1_000 });
    }
    this.queues.set(key, queue);
    queue.size++;
    this.total++;
    const result = queue.last.then(work);
    queue.last = result.then(noop, noop);
    try {
      return await result;
    } finally {
      this.total--;
      if (--queue.size === 0) this.queues.delete(key);
    }
  }
}

const noop = () => undefined;
