const HOUR_MS = 3_600_000;

/** Of the requests of an hour, what may be spent on the agents of one owner. */
const SHARE = 0.5;

/**
 * How the requests of an hour are shared among owners: whoever registers agents by the thousand waits for these, and not all others
 * with him. Knows at most as many owners as there are requests in an hour.
 */
export class OwnerShares {
  private readonly perOwner: number;
  private readonly spent = new Map<string, number>();
  private hourBeganMs = -Infinity;

  constructor(
    perHour: number,
    private readonly nowMs: () => number,
  ) {
    this.perOwner = Math.max(1, Math.floor(perHour * SHARE));
  }

  isSpent(owner: string): boolean {
    return (this.ofThisHour().get(owner) ?? 0) >= this.perOwner;
  }

  /** Counts one request; the share may be exceeded by what repeats one. */
  spend(owner: string): void {
    const spent = this.ofThisHour();
    spent.set(owner, (spent.get(owner) ?? 0) + 1);
  }

  private ofThisHour(): Map<string, number> {
    const nowMs = this.nowMs();
    if (nowMs - this.hourBeganMs >= HOUR_MS) {
      this.hourBeganMs = nowMs;
      this.spent.clear();
    }
    return this.spent;
  }
}
