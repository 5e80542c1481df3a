import type { CallerLimiter, ConnectionLease, Principal } from '@sluice/access';

/**
 * The slots of one connection's subscriptions among the caller's open streams. The connection has a slot already, which
 * stands for one of them, whichever it is: there are never more than subscriptions, and one where there are none.
 */
export class SubscriptionSlots {
  private taken = 0;
  /** One for each slot taken beyond the connection's own. */
  private readonly leases: ConnectionLease[] = [];

  constructor(
    private readonly limiter: CallerLimiter,
    private readonly principal: Principal,
  ) {}

  /** @throws SluiceError `too_many_connections` */
  take(): ConnectionLease {
    if (this.taken > 0) this.leases.push(this.limiter.openConnection(this.principal));
    this.taken++;
    let isHeld = true;
    return {
      release: () => {
        if (!isHeld) return;
        isHeld = false;
        this.taken--;
        // Slots are alike: the one that is left without a subscription is given back.
        this.leases.pop()?.release();
      },
    };
  }
}
