import { SluiceError } from '@sluice/event-log';
import type { Clock } from '../clock';
import { sourceKey } from './source-key';
import { rateLimited, TokenBucketLimiter } from './token-bucket';

export interface FailedAuthenticationLimits {
  /** How many failures per second a source may go on with. */
  readonly perSecond: number;
  /** How many failures it may have at once. */
  readonly burst: number;
  /** Most sources remembered. */
  readonly maxTracked: number;
  readonly clock?: Clock;
}

/**
 * Slows down who guesses credentials. Only failures count, and only the code `unauthorized`: neither an outage of ours nor
 * a client with an expired token locks its address out. Ask `authenticateCached` before, so that callers with a known
 * credential are not held up by a neighbour at the same address.
 */
export class FailedAuthenticationLimiter {
  private readonly failures: TokenBucketLimiter;

  constructor(limits: FailedAuthenticationLimits) {
    this.failures = new TokenBucketLimiter({
      requestsPerSecond: limits.perSecond,
      burst: limits.burst,
      maxTracked: limits.maxTracked,
      clock: limits.clock,
    });
  }

  /**
   * Runs an authentication for a source address and counts it if it fails.
   * Throws `rate_limited` without running it when the source has failed too often, else what it throws.
   */
  async guard<T>(address: string, authenticate: () => Promise<T>): Promise<T> {
    this.check(address);
    try {
      return await authenticate();
    } catch (error) {
      if (error instanceof SluiceError && error.code === 'unauthorized') this.recordFailure(address);
      throw error;
    }
  }

  /** Throws `rate_limited` when the source has failed too often. */
  check(address: string): void {
    const admission = this.failures.peek(sourceKey(address));
    if (!admission.admitted) throw rateLimited(admission.retryAfterMs);
  }

  recordFailure(address: string): void {
    this.failures.take(sourceKey(address));
  }
}
