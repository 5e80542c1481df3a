/** A little more than the time after which a broker begins a new segment with the next record. */
export const TICK_INTERVAL_MS = 3_900_000;
/** Ticks after a key was destroyed, or may have been before this process came: one begins the next segment, others make sure. */
export const TICK_COUNT = 3;

/** When a quiet journal is to be written to, so that what is destroyed in it goes from the brokers' disks. */
export class JournalTicks {
  private left = 0;
  private timer: NodeJS.Timeout | undefined;

  /** @param write writes a tick; what it throws is left to the next one */
  constructor(private readonly write: () => Promise<void>) {}

  /** To be called when keys are destroyed, and by whoever comes and does not know. */
  begin(): void {
    this.left = TICK_COUNT;
    this.timer ??= setInterval(() => void this.tick(), TICK_INTERVAL_MS).unref();
  }

  stop(): void {
    clearInterval(this.timer);
    this.timer = undefined;
  }

  private async tick(): Promise<void> {
    if (this.left === 0) return this.stop();
    try {
      await this.write();
      this.left--;
    } catch {
      // It is tried again with the next one.
    }
  }
}
