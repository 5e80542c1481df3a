/** At most so many at a time; whoever came first goes first. */
export class Slots {
  private taken = 0;
  private readonly waiters: (() => void)[] = [];

  constructor(private readonly size: number) {}

  get running(): number {
    return this.taken;
  }

  get waiting(): number {
    return this.waiters.length;
  }

  /** Waits for a slot and gives how to free it, which has to be called once; undefined when the signal is aborted before. */
  async take(signal: AbortSignal): Promise<(() => void) | undefined> {
    if (signal.aborted) return undefined;
    if (this.taken < this.size) {
      this.taken++;
    } else if (!(await this.handedOver(signal))) {
      return undefined;
    }
    return () => this.free();
  }

  /** A freed slot goes to the first waiter without becoming free in between. */
  private handedOver(signal: AbortSignal): Promise<boolean> {
    return new Promise((resolve) => {
      const settle = (isTaken: boolean) => {
        signal.removeEventListener('abort', giveUp);
        resolve(isTaken);
      };
      const turn = () => settle(true);
      const giveUp = () => {
        const index = this.waiters.indexOf(turn);
        if (index < 0) return;
        this.waiters.splice(index, 1);
        settle(false);
      };
      this.waiters.push(turn);
      signal.addEventListener('abort', giveUp);
    });
  }

  private free(): void {
    const next = this.waiters.shift();
    if (next === undefined) this.taken--;
    else next();
  }
}
