/** A sleep that a wake-up ends early. A wake-up that comes while nobody sleeps ends the next sleep at once. */
export class WakeUp {
  private woken = false;
  private resume: (() => void) | undefined;

  wake(): void {
    this.woken = true;
    this.resume?.();
  }

  /** Forgets wake-ups that came before now. Call it before looking for work, never after. */
  reset(): void {
    this.woken = false;
  }

  async sleep(durationMs: number): Promise<void> {
    if (this.woken) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, durationMs);
      this.resume = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.resume = undefined;
  }
}
