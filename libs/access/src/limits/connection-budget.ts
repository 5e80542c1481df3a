/** A rate limit of one connection, for what its peer sends: a bucket that refills as time goes by. */
export class ConnectionBudget {
  private left: number;
  private refilledAtMs: number;

  /** Full at first. `nowMs` is monotonic time, here and in `take`. */
  constructor(
    private readonly perSecond: number,
    private readonly burst: number,
    nowMs: number,
  ) {
    this.left = burst;
    this.refilledAtMs = nowMs;
  }

  /** Takes one message; false when there is none left. */
  take(nowMs: number): boolean {
    const elapsedMs = Math.max(0, nowMs - this.refilledAtMs);
    this.left = Math.min(this.burst, this.left + (elapsedMs * this.perSecond) / 1_000);
    this.refilledAtMs = nowMs;
    if (this.left < 1) return false;
    this.left--;
    return true;
  }
}
