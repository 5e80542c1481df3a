import type { Worker } from './service';

/** Shortest pause, also after work that took longer than the interval: others want to do something too. */
const MIN_PAUSE_MS = 10;

/**
 * Does a piece of work again and again, one at a time: each interval, or at once where it says that there is more to do.
 * What it throws is told, and it goes on after a whole interval.
 */
export class PollingWorker implements Worker {
  private loop: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private endPause: () => void = () => undefined;
  private readonly stopping = new AbortController();

  constructor(
    readonly name: string,
    private readonly intervalMs: number,
    /** Asked to end soon by the signal. Resolves with whether there is more to do at once. */
    private readonly work: (signal: AbortSignal) => Promise<boolean>,
    private readonly onFault: (error: unknown) => void,
  ) {}

  start(): Promise<void> {
    this.loop ??= this.run();
    return Promise.resolve();
  }

  /** Resolves when the work in hand is done. Idempotent. */
  async stop(): Promise<void> {
    this.stopping.abort();
    clearTimeout(this.timer);
    this.endPause();
    await this.loop;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    while (!signal.aborted) {
      const startedAt = performance.now();
      let pauseMs = this.intervalMs;
      try {
        const hasMore = await this.work(signal);
        pauseMs = hasMore ? 0 : Math.max(MIN_PAUSE_MS, this.intervalMs - (performance.now() - startedAt));
      } catch (error) {
        this.onFault(error);
      }
      if (!signal.aborted && pauseMs > 0) await this.pause(pauseMs);
    }
  }

  private pause(pauseMs: number): Promise<void> {
    return new Promise((resolve) => {
      this.endPause = resolve;
      this.timer = setTimeout(resolve, pauseMs);
    });
  }
}
