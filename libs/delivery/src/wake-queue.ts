export interface Wakeable {
  /** Must not throw. */
  wakeUp(): void;
}

/** Wakes subscribers once per turn of the event loop, however much was published in it. */
export class WakeQueue {
  private waiting: Wakeable[] = [];

  add(subscriber: Wakeable): void {
    if (this.waiting.length === 0) setImmediate(() => this.wakeAll());
    this.waiting.push(subscriber);
  }

  private wakeAll(): void {
    const { waiting } = this;
    this.waiting = [];
    for (const subscriber of waiting) subscriber.wakeUp();
  }
}
