export interface SendSlotLimits {
  /** Requests at a time, of this process. */
  readonly total: number;
  /** Of these, most for one workspace. */
  readonly perWorkspace: number;
  /** Of these, most to one host. */
  readonly perHost: number;
  /** Of these, most for what failed before: endpoints that hang must not keep those from being served that do not. */
  readonly retries: number;
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

/**
 * Who may send now. Each endpoint wants one slot at a time, so that as many wait as there are endpoints at most; of those
 * who may have a slot, workspaces take turns.
 */
export class SendSlots {
  private running = 0;
  private retries = 0;
  private waiting = 0;
  private readonly ofWorkspace = new Map<number, number>();
  private readonly ofHost = new Map<string, number>();
  /** By workspace; who has just had its turn is the last. */
  private readonly waiters = new Map<number, Waiter[]>();

  constructor(private readonly limits: SendSlotLimits) {}

  get counts(): { readonly running: number; readonly waiting: number } {
    return { running: this.running, waiting: this.waiting };
  }

  /** A slot, as what gives it back (idempotent). Rejects with the reason of the signal. */
  take(request: SlotRequest, signal: AbortSignal): Promise<() => void> {
    if (signal.aborted) return Promise.reject(signal.reason as Error);
    if (this.isFree(request)) return Promise.resolve(this.occupy(request));
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
          resolve(this.occupy(request));
        },
      };
      signal.addEventListener('abort', onAbort, { once: true });
      this.waiters.set(request.workspaceId, [...(this.waiters.get(request.workspaceId) ?? []), waiter]);
      this.waiting += 1;
    });
  }

  private leave(waiter: Waiter): void {
    const { workspaceId } = waiter;
    const others = (this.waiters.get(workspaceId) ?? []).filter((other) => other !== waiter);
    this.waiters.delete(workspaceId);
    if (others.length > 0) this.waiters.set(workspaceId, others);
    this.waiting -= 1;
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
      this.next()?.grant();
    };
  }

  private count({ workspaceId, host, isRetry }: SlotRequest, change: 1 | -1): void {
    this.running += change;
    if (isRetry) this.retries += change;
    changeCount(this.ofWorkspace, workspaceId, change);
    changeCount(this.ofHost, host, change);
  }

  private next(): Waiter | undefined {
    for (const waiters of this.waiters.values()) {
      const free = waiters.find((waiter) => this.isFree(waiter));
      if (free !== undefined) return free;
    }
    return undefined;
  }
}

function changeCount<K>(counts: Map<K, number>, key: K, change: 1 | -1): void {
  const count = (counts.get(key) ?? 0) + change;
  if (count === 0) counts.delete(key);
  else counts.set(key, count);
}
