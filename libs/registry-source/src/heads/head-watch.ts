/** Something that wakes up whoever waits for a new head. */
export interface HeadAnnouncer {
  open(): void;
  /** Looks whether it is still alive. */
  check(): void;
  close(): Promise<void>;
}

/** Waits for new heads: announced ones, and else for the poll interval. */
export class HeadWatch {
  private announced = false;
  private readonly wakers = new Set<() => void>();
  private closed = false;
  private announcer: HeadAnnouncer | undefined;

  constructor(private readonly pollIntervalMs: number) {}

  /** Listens to an announcer, which calls `announce`. */
  listen(announcer: HeadAnnouncer): void {
    this.announcer = announcer;
    announcer.open();
  }

  /** An announcement while nobody waits counts for the next one who does. */
  readonly announce = (): void => {
    this.announced = true;
    for (const wake of [...this.wakers]) wake();
  };

  async untilNewHead(signal: AbortSignal): Promise<void> {
    this.announcer?.check();
    if (!this.announced && !signal.aborted && !this.closed) {
      await new Promise<void>((resolve) => {
        const wake = (): void => {
          clearTimeout(timer);
          signal.removeEventListener('abort', wake);
          this.wakers.delete(wake);
          resolve();
        };
        const timer = setTimeout(wake, this.pollIntervalMs);
        signal.addEventListener('abort', wake, { once: true });
        this.wakers.add(wake);
      });
    }
    this.announced = false;
  }

  async close(): Promise<void> {
    this.closed = true;
    for (const wake of [...this.wakers]) wake();
    await this.announcer?.close();
  }
}
