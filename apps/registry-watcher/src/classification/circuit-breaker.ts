import { BREAKER_LIMITS } from './limits';

/**
 * - `closed`: requests are sent.
 * - `open`: none is sent until the pause is over.
 * - `half_open`: one is sent as a trial; its outcome closes the breaker or opens it for longer.
 */
export type BreakerState = 'closed' | 'open' | 'half_open';

/** The right to send one request; its outcome has to be told exactly once, and later ones are ignored. */
export interface BreakerPass {
  /** The endpoint answered, whatever it said. */
  succeeded(): void;
  /** It did not, or said that it cannot. `pauseMs`: how long it asked to be left alone, which opens the breaker at once. */
  failed(pauseMs?: number): void;
  /** The request was given up here; it says nothing about the endpoint. */
  abandoned(): void;
}

export type BreakerEntry =
  | { readonly isAllowed: true; readonly pass: BreakerPass }
  | { readonly isAllowed: false; readonly retryAfterMs: number };

export interface CircuitBreakerOptions {
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
  readonly onState?: (state: BreakerState) => void;
  readonly limits?: Partial<Record<keyof typeof BREAKER_LIMITS, number>>;
}

/** Leaves an endpoint alone that fails again and again. */
export class CircuitBreaker {
  private readonly nowMs: () => number;
  private readonly onState: (state: BreakerState) => void;
  private readonly limits: Record<keyof typeof BREAKER_LIMITS, number>;
  private current: BreakerState = 'closed';
  private failures = 0;
  private pauseMs: number;
  private openUntilMs = 0;

  constructor({ nowMs = () => performance.now(), onState = () => undefined, limits = {} }: CircuitBreakerOptions = {}) {
    this.nowMs = nowMs;
    this.onState = onState;
    this.limits = { ...BREAKER_LIMITS, ...limits };
    this.pauseMs = this.limits.openMs;
  }

  get state(): BreakerState {
    return this.current;
  }

  /** Milliseconds until a request may be sent; 0: now. While a trial runs, the first pause. */
  waitMs(): number {
    if (this.current === 'closed') return 0;
    if (this.current === 'half_open') return this.limits.openMs;
    return Math.max(0, Math.ceil(this.openUntilMs - this.nowMs()));
  }

  /** The right to send a request now, or when to ask for it again. */
  enter(): BreakerEntry {
    const retryAfterMs = this.waitMs();
    if (retryAfterMs > 0) return { isAllowed: false, retryAfterMs };
    if (this.current === 'open') this.become('half_open');
    return { isAllowed: true, pass: this.newPass(this.current === 'half_open') };
  }

  private newPass(isTrial: boolean): BreakerPass {
    let isTold = false;
    const once = (tell: () => void) => {
      if (isTold) return;
      isTold = true;
      tell();
    };
    return {
      succeeded: () => once(() => this.succeed(isTrial)),
      failed: (pauseMs) => once(() => this.fail(isTrial, pauseMs)),
      // The next request is the trial then.
      abandoned: () => once(() => isTrial && this.become('open')),
    };
  }

  private succeed(isTrial: boolean): void {
    // A straggler from before the breaker opened does not close it.
    if (this.current !== 'closed' && !isTrial) return;
    this.failures = 0;
    this.pauseMs = this.limits.openMs;
    this.become('closed');
  }

  private fail(isTrial: boolean, askedPauseMs: number | undefined): void {
    if (this.current !== 'closed' && !isTrial) return;
    this.failures++;
    if (!isTrial && askedPauseMs === undefined && this.failures < this.limits.failuresToOpen) return;
    this.openUntilMs = this.nowMs() + Math.max(askedPauseMs ?? 0, this.pauseMs);
    this.pauseMs = Math.min(this.pauseMs * 2, this.limits.maxOpenMs);
    this.become('open');
  }

  private become(state: BreakerState): void {
    if (state === this.current) return;
    this.current = state;
    this.onState(state);
  }
}
