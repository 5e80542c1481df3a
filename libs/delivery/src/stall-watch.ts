/** Notices that a subscriber leaves its events waiting. */
export class StallWatch {
  private takenSinceCheck = false;
  private stalledSinceMs: number | undefined;

  constructor(private readonly timeoutMs: number) {}

  taken(): void {
    this.takenSinceCheck = true;
  }

  /** To be asked from time to time. */
  isStalled(nowMs: number, isWaiting: boolean): boolean {
    if (this.takenSinceCheck || !isWaiting) {
      this.takenSinceCheck = false;
      this.stalledSinceMs = undefined;
      return false;
    }
    this.stalledSinceMs ??= nowMs;
    return nowMs - this.stalledSinceMs >= this.timeoutMs;
  }
}
