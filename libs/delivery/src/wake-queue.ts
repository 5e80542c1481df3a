/** Calls back once per turn of the event loop, however much was published in it. */
export class WakeQueue {
  private waiting: WakeSignal[] = [];

  add(signal: WakeSignal): void {
    if (this.waiting.length === 0) setImmediate(() => this.wakeAll());
    this.waiting.push(signal);
  }

  private wakeAll(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const signal of waiting) signal.wake();
  }
}

/** Tells one listener that there may be something to take, once after there was nothing. */
export class WakeSignal {
  private listener: (() => void) | undefined;
  private mayHaveSome = true;
  private requested = false;

  constructor(
    private readonly wakes: WakeQueue,
    private readonly onListenerThrew: (error: unknown) => void,
  ) {}

  listen(listener: () => void): void {
    this.listener = listener;
    if (this.mayHaveSome) this.request();
  }

  /** What a take found: something, or nothing. */
  taken(something: boolean): void {
    this.mayHaveSome = something;
  }

  /** There may be something to take. */
  raise(): void {
    if (this.mayHaveSome) return;
    this.mayHaveSome = true;
    if (this.listener) this.request();
  }

  /** As `raise`, for who calls from a turn that is nobody else's: the listener is called at once. */
  raiseNow(): void {
    if (this.mayHaveSome) return;
    this.mayHaveSome = true;
    if (!this.requested) this.wake();
  }

  /** For the queue. */
  wake(): void {
    this.requested = false;
    try {
      this.listener?.();
    } catch (error) {
      this.onListenerThrew(error);
    }
  }

  private request(): void {
    if (this.requested) return;
    this.requested = true;
    this.wakes.add(this);
  }
}
