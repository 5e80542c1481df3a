import type { LimitsConfig } from '../access-config';
import type { Clock } from '../clock';
import { limitKeyOf, type Principal } from '../principal';
import { ConnectionLimiter, type ConnectionLease } from './connection-limiter';
import { TokenBucketLimiter, type Rate } from './token-bucket';

/** Requests and open streams of authenticated callers, by the configured limits and by those of the key itself. */
export class CallerLimiter {
  private readonly requests: TokenBucketLimiter;
  private readonly connections: ConnectionLimiter;

  constructor(
    private readonly config: LimitsConfig,
    clock?: Clock,
  ) {
    this.requests = new TokenBucketLimiter({ ...config.apiKey, maxTracked: config.maxTracked, clock });
    this.connections = new ConnectionLimiter({ perKey: config.apiKey.connections, total: config.totalConnections });
  }

  /** Open streams of this process. */
  get openConnections(): number {
    return this.connections.total;
  }

  /** Counts one request. Throws `rate_limited` with `retryAfterMs`. */
  takeRequest(principal: Principal): void {
    this.requests.consume(limitKeyOf(principal), this.rateOf(principal));
  }

  /** Counts the events of an admitted request: beyond the first, each costs as much as a request. Never throws. */
  takeEvents(principal: Principal, events: number): void {
    this.requests.charge(limitKeyOf(principal), events - 1, this.rateOf(principal));
  }

  /** Takes a place for a stream; release it when the stream ends. Throws `too_many_connections`. */
  openConnection(principal: Principal): ConnectionLease {
    const own = principal.kind === 'api_key' ? principal.limits.connections : undefined;
    return this.connections.acquire(limitKeyOf(principal), own ?? this.configured(principal).connections);
  }

  private rateOf(principal: Principal): Rate {
    const configured = this.configured(principal);
    if (principal.kind === 'sandbox') return configured;
    const { requestsPerSecond, burst } = principal.limits;
    if (requestsPerSecond === undefined && burst === undefined) return configured;
    return {
      requestsPerSecond: requestsPerSecond ?? configured.requestsPerSecond,
      // A key with a rate of its own and no burst may do two seconds' worth at once.
      burst:
        burst ?? (requestsPerSecond === undefined ? configured.burst : Math.max(1, Math.ceil(2 * requestsPerSecond))),
    };
  }

  private configured(principal: Principal): LimitsConfig['apiKey'] {
    return principal.kind === 'api_key' ? this.config.apiKey : this.config.sandbox;
  }
}
