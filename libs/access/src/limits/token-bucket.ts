import { SluiceError } from '@sluice/event-log';
import { LRUCache } from 'lru-cache';
import { monotonicClock, type Clock } from '../clock';

/** Rounding of fractions of a token must not make a caller wait once more. */
const EPSILON = 1e-9;

export interface Rate {
  readonly requestsPerSecond: number;
  /** How many requests may come at once after a pause; at least 1. */
  readonly burst: number;
}

export interface TokenBucketOptions extends Rate {
  /** Most keys remembered. The one longest not seen is forgotten first, and so starts with a full burst again. */
  readonly maxTracked: number;
  readonly clock?: Clock;
}

export type Admission = { readonly admitted: true } | { readonly admitted: false; readonly retryAfterMs: number };

interface Bucket {
  tokens: number;
  refilledAt: number;
}

const ADMITTED: Admission = Object.freeze({ admitted: true });

/**
 * A rate limit per key: within any span of t seconds at most `burst + requestsPerSecond * t` requests are admitted.
 * Buckets are refilled when they are looked at, so an idle key costs nothing but its place.
 */
export class TokenBucketLimiter {
  private readonly buckets: LRUCache<string, Bucket>;
  private readonly clock: Clock;

  constructor(private readonly options: TokenBucketOptions) {
    this.buckets = new LRUCache({ max: options.maxTracked });
    this.clock = options.clock ?? monotonicClock;
  }

  /** How many keys are remembered. */
  get size(): number {
    return this.buckets.size;
  }

  /** Takes one request off the key's bucket, or says how long to wait. `rate` overrides the configured one. */
  take(key: string, rate: Rate = this.options): Admission {
    const bucket = this.refill(key, rate);
    const admission = judge(bucket, rate);
    if (admission.admitted) bucket.tokens = Math.max(0, bucket.tokens - 1);
    return admission;
  }

  /**
   * Takes what an admitted request turned out to cost beyond the one that was taken. It may leave a debt, which the
   * next requests wait for.
   */
  charge(key: string, cost: number, rate: Rate = this.options): void {
    if (cost > 0) this.refill(key, rate).tokens -= cost;
  }

  /** Gives back what `take` took: the request turned out not to count. */
  giveBack(key: string, rate: Rate = this.options): void {
    const bucket = this.buckets.get(key);
    if (bucket !== undefined) bucket.tokens = Math.min(rate.burst, bucket.tokens + 1);
  }

  /** What `take` would say, without taking. */
  peek(key: string, rate: Rate = this.options): Admission {
    return this.buckets.has(key) ? judge(this.refill(key, rate), rate) : ADMITTED;
  }

  /** What is in the key's bucket, without taking: below 0 while there is a debt. */
  tokensOf(key: string, rate: Rate = this.options): number {
    return this.buckets.has(key) ? this.refill(key, rate).tokens : rate.burst;
  }

  /** As `take`, but throws `rate_limited` with `retryAfterMs` instead. */
  consume(key: string, rate?: Rate): void {
    const admission = this.take(key, rate);
    if (!admission.admitted) throw rateLimited(admission.retryAfterMs);
  }

  private refill(key: string, rate: Rate): Bucket {
    const now = this.clock();
    const bucket = this.buckets.get(key);
    if (bucket === undefined) {
      const full = { tokens: rate.burst, refilledAt: now };
      this.buckets.set(key, full);
      return full;
    }
    const elapsedMs = Math.max(0, now - bucket.refilledAt);
    bucket.tokens = Math.min(rate.burst, bucket.tokens + (elapsedMs * rate.requestsPerSecond) / 1000);
    bucket.refilledAt = now;
    return bucket;
  }
}

function judge({ tokens }: Bucket, { requestsPerSecond }: Rate): Admission {
  if (tokens >= 1 - EPSILON) return ADMITTED;
  return { admitted: false, retryAfterMs: Math.ceil(((1 - tokens) / requestsPerSecond) * 1000) };
}

/** The error of a caller that comes too often. */
export function rateLimited(retryAfterMs: number): SluiceError {
  return new SluiceError('rate_limited', 'Too many requests', { retryAfterMs });
}
