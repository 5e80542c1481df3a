const HOUR_MS = 3_600_000;

/** Most requests of an hour that a budget can be about. */
export const MAX_BUDGET_PER_HOUR = 1_000_000;

/** At most so many requests in any hour, not only in those of the clock. */
export class HourlyBudget {
  /** When each of the last `perHour` requests was sent; the oldest is at `next`. */
  private readonly sentAtMs: Float64Array;
  private next = 0;

  /** @param perHour from 1 to {@link MAX_BUDGET_PER_HOUR}. */
  constructor(
    perHour: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.sentAtMs = new Float64Array(Math.min(Math.max(Math.trunc(perHour), 1), MAX_BUDGET_PER_HOUR)).fill(-Infinity);
  }

  /** Milliseconds until a request may be sent; 0: now. */
  waitMs(): number {
    const oldestMs = this.sentAtMs[this.next] ?? -Infinity;
    return Math.max(0, Math.ceil(oldestMs + HOUR_MS - this.nowMs()));
  }

  /** Counts one request. False: the budget is spent, and nothing was counted. */
  spend(): boolean {
    if (this.waitMs() > 0) return false;
    this.sentAtMs[this.next] = this.nowMs();
    this.next = (this.next + 1) % this.sentAtMs.length;
    return true;
  }
}
