import { SluiceError } from '@sluice/event-log';

export interface SendSlotLimits {
  /** Requests at a time, of this process. */
  readonly total: number;
  /** Of these, most for one workspace. */
  readonly perWorkspace: number;
  /** Of these, most to one host. */
  readonly perHost: number;
  /** Of these, most for what failed before or is slow: endpoints that hang must not keep those from being served that do not. */
  readonly retries: number;
  /** Most that wait; more of them are refused. */
  readonly waiting?: number;
}

/** What a slot is wanted for. */
export interface SlotRequest {
  readonly workspaceId: number;
  readonly host: string;
  readonly isRetry: boolean;
}

interface Waiter extends SlotRequest {
  readonly grant: () => void;
}

/** More than a process has endpoints at the most of its settings. */
const MOST_WAITING = 20_000;

/** Who may send now. Each endpoint wants one slot at a time, and its tests one more; of those who may have one, workspaces take turns. */
export class SendSlots {
  private running = 0;
  private retries = 0;
  private waiting = 0;
  private readonly ofWorkspace = new Map<number, number>();
  private readonly ofHost = new Map<string, number>();
  /** By workspace, in the order in which they came; who has just had its turn is the last. */
  private readonly waiters = new Map<number, Set<Waiter>>();

  constructor(private readonly limits: SendSlotLimits) {}

  get counts(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.waiting };
  }

  /**
   * A slot, as what gives it back (idempotent). Rejects with the reason of the signal.
   * @throws SluiceError `overloaded` where too many wait
   */
  take(request: SlotRequest, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.isFree(request)) return Promise.resolve(this.occupy(request));
    if (this.waiting >= (this.limits.waiting ?? MOST_WAITING)) {
      return Promise.reject(new SluiceError('overloaded', 'Too many requests to applications wait for their turn'));
    }
    return new Promise((resolve, reject) => {
      const onAbort = (): void => {
        this.leave(waiter);
        reject(signal.reason as Error);
      };
      const waiter: Waiter = {
        ...request,
        grant: () => {
          signal.removeEventListener('abort', onAbort);
          this.leave(waiter);
          this.haveTurn(request.workspaceId);
          resolve(this.occupy(request));
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      const others = this.waiters.get(request.workspaceId) ?? new Set();
      this.waiters.set(request.workspaceId, others.add(waiter));
      this.waiting += 1;
    });
  }

  private leave(waiter: Waiter): void {
    const others = this.waiters.get(waiter.workspaceId);
    if (others?.delete(waiter) !== true) return;
    if (others.size === 0) this.waiters.delete(waiter.workspaceId);
    this.waiting -= 1;
  }

  private haveTurn(workspaceId: number): void {
    const others = this.waiters.get(workspaceId);
    if (others === undefined) return;
    this.waiters.delete(workspaceId);
    this.waiters.set(workspaceId, others);
  }

  private isFree({ workspaceId, host, isRetry }: SlotRequest): boolean {
    const { total, perWorkspace, perHost, retries } = this.limits;
    return (
      this.running < total &&
      (this.ofWorkspace.get(workspaceId) ?? 0) < perWorkspace &&
      (this.ofHost.get(host) ?? 0) < perHost &&
      (!isRetry || this.retries < retries)
    );
  }

  private occupy(request: SlotRequest): () => void {
    this.count(request, 1);
    let isHeld = true;
    return () => {
      if (!isHeld) return;
      isHeld = false;
      this.count(request, -1);
      // What one gave back can be what several waited for: one for its workspace, another for its host.
      for (let next = this.next(); next !== undefined; next = this.next()) next.grant();
    };
  }

  private count({ workspaceId, host, isRetry }: SlotRequest, change: 1 | -1): void {
    this.running += change;
    if (isRetry) this.retries += change;
    changeCount(this.ofWorkspace, workspaceId, change);
    changeCount(this.ofHost, host, change);
  }

  private next(): Waiter | undefined {
    if (this.running >= this.limits.total) return undefined;
    for (const [workspaceId, waiters] of this.waiters) {
      if ((this.ofWorkspace.get(workspaceId) ?? 0) >= this.limits.perWorkspace) continue;
      for (const waiter of waiters) if (this.isFree(waiter)) return waiter;
    }
    return undefined;
  }
}

function changeCount<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
