import type { SluiceError } from '@sluice/event-log';
import type { LimitsConfig } from '../access-config';
import { wallClock, type Clock } from '../clock';
import { limitKeyOf, type Principal } from '../principal';
import { ConnectionLimiter, type ConnectionLease } from './connection-limiter';
import { MemoryConnectionSlots, type ConnectionSlots } from './connection-slots';
import type { RateExchange, UntoldReason } from './rate-exchange';
import { SharedSpending } from './shared-spending';
import { TokenBucketLimiter, type Rate } from './token-bucket';

export interface CallerLimiterOptions {
  /** Monotonic time, by which rates are counted. */
  readonly clock?: Clock;
  /** Gives the slots that are counted over all replicas, when the first is sought. By default this process is all. */
  readonly slots?: () => Promise<ConnectionSlots>;
  /**
   * Gives the way to count rates over all replicas, when the first request is taken. By default this process is all.
   */
  readonly rates?: () => Promise<RateExchange>;
  /** Told of requests that count in this process only because too many callers made some. Must not throw. */
  onUntold?(reason: UntoldReason, requests: number): void;
}

/** Connections that are counted together over all replicas. */
export interface SharedPool {
  /** What they are connections of, for example `registry`. */
  readonly pool: string;
  /** How many a caller may have whose key does not say. */
  readonly limit: number;
}

/** How many requests a caller may still make. */
export interface RemainingRequests {
  /** How many may come at once after a pause. */
  readonly limit: number;
  /** How many may come at once now. */
  readonly remaining: number;
  /** When `remaining` is `limit` again if none come, in milliseconds since 1970. */
  readonly resetAtMs: number;
}

/**
 * Requests and open streams of authenticated callers, by the configured limits and by those of the key itself.
 *
 * Rates hold over all replicas: each charges its buckets with what the others admitted, `RATE_TELL_INTERVAL_MS` later.
 * What they admit beyond the rate in the meantime, at most a burst each and the rate of one interval, is a debt that
 * the caller waits for. While they cannot reach each other each counts alone.
 */
export class CallerLimiter {
  private readonly requests: TokenBucketLimiter;
  private readonly connections: ConnectionLimiter;
  private readonly slots: () => Promise<ConnectionSlots>;
  private readonly spending: SharedSpending | undefined;

  constructor(
    private readonly config: LimitsConfig,
    options: CallerLimiterOptions = {},
  ) {
    const { clock, rates, onUntold } = options;
    this.requests = new TokenBucketLimiter({ ...config.apiKey, maxTracked: config.maxTracked, clock });
    this.connections = new ConnectionLimiter({ perKey: config.apiKey.connections, total: config.totalConnections });
    const own = new MemoryConnectionSlots();
    this.slots = options.slots ?? (async () => own);
    if (rates !== undefined) {
      this.spending = new SharedSpending({
        open: rates,
        maxCallers: config.maxTracked,
        onSpentElsewhere: ({ key, cost, rate }) => this.requests.charge(key, cost, rate),
        onUntold: (reason, cost) => onUntold?.(reason, cost),
      });
    }
  }

  /** Open streams of this process. */
  get openConnections(): number {
    return this.connections.total;
  }

  /** Counts one request. Throws `rate_limited` with `retryAfterMs`. */
  takeRequest(principal: Principal): void {
    const key = limitKeyOf(principal);
    const rate = this.rateOf(principal);
    this.requests.consume(key, rate);
    this.spending?.add(key, 1, rate);
  }

  /** Counts the events of an admitted request: beyond the first, each costs as much as a request. Never throws. */
  takeEvents(principal: Principal, events: number): void {
    if (events <= 1) return;
    const key = limitKeyOf(principal);
    const rate = this.rateOf(principal);
    this.requests.charge(key, events - 1, rate);
    this.spending?.add(key, events - 1, rate);
  }

  /** The rate of a caller: its key's own, or the configured one. */
  rateOf(principal: Principal): Rate {
    const configured = this.configured(principal);
    const { requestsPerSecond, burst } = ownLimits(principal);
    if (requestsPerSecond === undefined && burst === undefined) return configured;
    return {
      requestsPerSecond: requestsPerSecond ?? configured.requestsPerSecond,
      // A key with a rate of its own and no burst may do two seconds' worth at once.
      burst:
        burst ?? (requestsPerSecond === undefined ? configured.burst : Math.max(1, Math.ceil(2 * requestsPerSecond))),
    };
  }

  /** How many requests the caller may still make, without counting one. */
  remaining(principal: Principal): RemainingRequests {
    const rate = this.rateOf(principal);
    const tokens = this.requests.tokensOf(limitKeyOf(principal), rate);
    const fullInMs = Math.ceil(((rate.burst - tokens) / rate.requestsPerSecond) * 1000);
    return {
      limit: rate.burst,
      remaining: Math.max(0, Math.floor(tokens)),
      resetAtMs: wallClock() + Math.max(0, fullInMs),
    };
  }

  /** Takes a slot for a stream in this process; release it when the stream ends. Throws `too_many_connections`. */
  openConnection(principal: Principal): ConnectionLease {
    const own = ownLimits(principal).connections;
    return this.connections.acquire(limitKeyOf(principal), own ?? this.configured(principal).connections);
  }

  /**
   * Takes a slot in this process, as `openConnection` does, and one over all replicas: as many of the pool as the key
   * itself says, or as the pool does. Release it when the stream ends; `onLost` tells, at most once, that it has to
   * end.
   *
   * @throws SluiceError `too_many_connections`, `shutting_down`
   */
  async openSharedConnection(
    principal: Principal,
    { pool, limit }: SharedPool,
    onLost: (reason: SluiceError) => void,
  ): Promise<ConnectionLease> {
    const here = this.openConnection(principal);
    try {
      const slots = await this.slots();
      const key = `${pool}/${limitKeyOf(principal)}`;
      const everywhere = await slots.acquire(key, ownLimits(principal).connections ?? limit, onLost);
      return {
        release: () => {
          here.release();
          everywhere.release();
        },
      };
    } catch (error) {
      here.release();
      throw error;
    }
  }

  /** Tells the others what is still untold, and hears from them no more. */
  close(): void {
    this.spending?.close();
  }

  private configured(principal: Principal): LimitsConfig['apiKey'] {
    return principal.kind === 'sandbox' ? this.config.sandbox : this.config.apiKey;
  }
}

function ownLimits(principal: Principal): Partial<Rate> & { readonly connections?: number | undefined } {
  return principal.kind === 'api_key' || principal.kind === 'stream' ? principal.limits : {};
}
