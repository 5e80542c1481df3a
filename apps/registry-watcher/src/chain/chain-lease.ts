import type { ChainGrant, ChainStore } from '@sluice/agent-registry';

export interface ChainLeaseOptions {
  readonly store: Pick<ChainStore, 'acquire' | 'release'>;
  readonly chainId: number;
  /** Names this process among the watchers. */
  readonly holder: string;
  readonly leaseMs: number;
  onFault(error: unknown): void;
}

/** How often within a lease it is renewed. */
const RENEWALS = 3;

/** The right to a chain, while it lasts. */
export interface ChainLease {
  readonly grant: ChainGrant;
  /** Aborted as soon as this process cannot be sure of the right any more. */
  readonly signal: AbortSignal;
  /** Gives the right back, so that another process need not wait. Idempotent, never rejects. */
  release(): Promise<void>;
}

/** Takes the right to a chain and renews it. */
export class ChainLeaseKeeper {
  constructor(private readonly options: ChainLeaseOptions) {}

  /** Undefined while another process has it. @throws SluiceError `read_model_unavailable` */
  async acquire(): Promise<ChainLease | undefined> {
    const { store, chainId, holder, leaseMs } = this.options;
    const askedAtMs = performance.now();
    const grant = await store.acquire(chainId, holder, leaseMs);
    return grant && new HeldLease(grant, this.options, askedAtMs);
  }
}

class HeldLease implements ChainLease {
  private readonly lost = new AbortController();
  private readonly renewTimer: NodeJS.Timeout;
  private deadline: NodeJS.Timeout | undefined;
  private renewing: Promise<void> | undefined;
  private released = false;

  constructor(
    readonly grant: ChainGrant,
    private readonly options: ChainLeaseOptions,
    askedAtMs: number,
  ) {
    this.setDeadline(askedAtMs);
    this.renewTimer = setInterval(() => {
      this.renewing ??= this.renew().finally(() => (this.renewing = undefined));
    }, options.leaseMs / RENEWALS);
  }

  get signal(): AbortSignal {
    return this.lost.signal;
  }

  async release(): Promise<void> {
    if (this.released) return;
    this.released = true;
    this.stopTimers();
    // A renewal on its way would take the right again behind the release.
    await this.renewing;
    if (this.lost.signal.aborted) return;
    this.lost.abort();
    try {
      await this.options.store.release(this.grant);
    } catch (error) {
      this.options.onFault(error);
    }
  }

  private async renew(): Promise<void> {
    const { store, chainId, holder, leaseMs, onFault } = this.options;
    const askedAtMs = performance.now();
    try {
      const grant = await store.acquire(chainId, holder, leaseMs);
      // One that came back anew was another's in between.
      if (grant?.fencingToken === this.grant.fencingToken) this.setDeadline(askedAtMs);
      else this.lose();
    } catch (error) {
      onFault(error);
    }
  }

  /** Counted from when it was asked for: the store has counted from later on. */
  private setDeadline(askedAtMs: number): void {
    clearTimeout(this.deadline);
    if (this.released || this.lost.signal.aborted) return;
    const leftMs = askedAtMs + this.options.leaseMs - performance.now();
    this.deadline = setTimeout(() => this.lose(), Math.max(0, leftMs));
  }

  private lose(): void {
    this.stopTimers();
    this.lost.abort();
  }

  private stopTimers(): void {
    clearInterval(this.renewTimer);
    clearTimeout(this.deadline);
  }
}
