import { isWaiting, type ClaimedDispatch, type SessionStore } from '@sluice/agent-sessions';

export interface HeldDispatchOptions {
  readonly holder: string;
  readonly leaseMs: number;
  /** How often to look whether its run is still the active one, when nobody says that something happened to it. */
  readonly watchIntervalMs: number;
}

/** A dispatch in the hands of this process: keeps the claim, and sees to it that nobody works for a run that is over. */
export class HeldDispatch {
  private readonly lost = new AbortController();
  private readonly over = new AbortController();
  private readonly renewal: NodeJS.Timeout;
  private readonly watch: NodeJS.Timeout | undefined;
  private heldSinceMs = performance.now();
  private waits = false;
  /** Aborted when its work is of no use any more. */
  readonly signal: AbortSignal;

  constructor(
    readonly claim: ClaimedDispatch,
    private readonly store: Pick<SessionStore, 'load' | 'renewDispatch'>,
    private readonly options: HeldDispatchOptions,
    stopping: AbortSignal,
    private readonly onFault: (error: unknown) => void,
  ) {
    this.signal = AbortSignal.any([this.lost.signal, this.over.signal, stopping]);
    this.renewal = setInterval(() => void this.renew(), options.leaseMs / 3);
    const { type } = claim.dispatch;
    const isWork = type === 'run.start' || type === 'run.input';
    this.watch = isWork ? setInterval(() => this.look(), options.watchIntervalMs) : undefined;
  }

  /** Whether its run is known to be over. */
  get isOver(): boolean {
    return this.over.signal.aborted;
  }

  /** Whether its run was seen to wait for the user. */
  get isWaiting(): boolean {
    return this.waits;
  }

  /** Looks now whether its run is over; says so by the signal. */
  look(): void {
    if (this.watch === undefined || this.signal.aborted) return;
    const { workspaceId, sessionId, dispatch } = this.claim;
    this.store.load(workspaceId, sessionId).then(
      (stored) => {
        if (stored?.state.run?.id !== dispatch.runId) this.over.abort();
        else this.waits = isWaiting(stored.state);
      },
      (error: unknown) => this.onFault(error),
    );
  }

  /** Keeps the claim no longer. */
  release(): void {
    clearInterval(this.renewal);
    clearInterval(this.watch);
  }

  private async renew(): Promise<void> {
    const { leaseMs } = this.options;
    const askedAtMs = performance.now();
    try {
      const isOurs = await this.store.renewDispatch(this.claim, leaseMs);
      if (isOurs) this.heldSinceMs = askedAtMs;
      else this.lost.abort();
    } catch (error) {
      this.onFault(error);
      // Somebody else may have it by now.
      if (performance.now() - this.heldSinceMs > leaseMs) this.lost.abort();
    }
  }
}
