import type { Worker } from '@sluice/service-runtime';

/** Does a piece of work again and again, one at a time, with a pause between. What it throws is told, and it goes on. */
export class PollingWorker implements Worker {
  private loop: Promise<void> | undefined;
  private timer: NodeJS.Timeout | undefined;
  private endPause: () => void = () => undefined;
  private isStopping = false;

  constructor(
    readonly name: string,
    private readonly intervalMs: number,
    private readonly work: () => Promise<void>,
    private readonly onFault: (error: unknown) => void,
  ) {}

  start(): Promise<void> {
    this.loop ??= this.run();
    return Promise.resolve();
  }

  /** Resolves when the work in hand is done. Idempotent. */
  async stop(): Promise<void> {
    this.isStopping = true;
    clearTimeout(this.timer);
    this.endPause();
    await this.loop;
  }

  private async run(): Promise<void> {
    while (!this.isStopping) {
      try {
        await this.work();
      } catch (error) {
        this.onFault(error);
      }
      if (!this.isStopping) await this.pause();
    }
  }

  private pause(): Promise<void> {
    return new Promise((resolve) => {
      this.endPause = resolve;
      this.timer = setTimeout(resolve, this.intervalMs);
    });
  }
}
