/** So many bytes a second, and as many at once. */
export class ByteBudget {
  private left: number;
  private countedAtMs: number;

  constructor(
    private readonly bytesPerSecond: number,
    private readonly nowMs: () => number = () => performance.now(),
  ) {
    this.left = bytesPerSecond;
    this.countedAtMs = nowMs();
  }

  /** Takes them, or nothing when there are not as many. */
  take(bytes: number): boolean {
    const nowMs = this.nowMs();
    const earned = ((nowMs - this.countedAtMs) / 1_000) * this.bytesPerSecond;
    this.left = Math.min(this.bytesPerSecond, this.left + earned);
    this.countedAtMs = nowMs;
    if (bytes > this.left) return false;
    this.left -= bytes;
    return true;
  }
}
