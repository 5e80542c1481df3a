import { SluiceError } from './errors';

export interface KeyedLockLimits {
  /** Most that wait for one key. */
  readonly waitingPerKey: number;
  /** Most that wait or run in all. */
  readonly total: number;
}

const KEYED_LOCK_LIMITS: KeyedLockLimits = { waitingPerKey: 100, total: 10_000 };

const RETRY_AFTER_MS = 1_000;

/** Lets one at a time work on what a key names, in the order in which they came. Of this process only. */
export class KeyedLocks {
  private readonly queues = new Map<string, { last: Promise<void>; size: number }>();
  private total = 0;

  constructor(
    private readonly onRefused: (reason: 'key' | 'total') => void,
    private readonly limits: KeyedLockLimits = KEYED_LOCK_LIMITS,
  ) {}

  /** @throws SluiceError `overloaded` when too many wait already, and whatever `work` throws. */
  async run<T>(key: string, work: () => Promise<T>): Promise<T> {
    const queue = this.queues.get(key) ?? { last: Promise.resolve(), size: 0 };
    const isLong = queue.size > this.limits.waitingPerKey;
    if (isLong || this.total >= this.limits.total) {
      this.onRefused(isLong ? 'key' : 'total');
      const what = isLong ? 'Too many changes of the same thing wait' : 'Too many changes wait';
      throw new SluiceError('overloaded', what, { retryAfterMs: RETRY_AFTER_MS });
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
