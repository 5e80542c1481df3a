import { CallerLines } from './caller-lines';

/** Work that nobody awaits: its failures are told, and `settled` waits for the end of all of it. */
export class Tasks {
  private readonly running = new Set<Promise<void>>();

  constructor(private readonly onFault: (error: unknown) => void) {}

  run(work: () => Promise<void>): void {
    const task: Promise<void> = work()
      .catch(this.onFault)
      .finally(() => this.running.delete(task));
    this.running.add(task);
  }

  async settled(): Promise<void> {
    while (this.running.size > 0) await Promise.all(this.running);
  }
}

/** Waits that can all be cut short. */
export class Pauses {
  private readonly waiting = new Map<NodeJS.Timeout, () => void>();
  private over = false;

  pause(durationMs: number): Promise<void> {
    if (this.over) return Promise.resolve();
    return new Promise((resolve) => {
      const timer = setTimeout(() => {
        this.waiting.delete(timer);
        resolve();
      }, durationMs);
      this.waiting.set(timer, resolve);
    });
  }

  /** Ends every pause; later ones do not wait at all. */
  end(): void {
    this.over = true;
    for (const [timer, resolve] of this.waiting) {
      clearTimeout(timer);
      resolve();
    }
    this.waiting.clear();
  }
}

/** Doubling waits between attempts. */
export class BackOff {
  private nextDelayMs: number;

  constructor(private readonly delays: { readonly firstRetryDelayMs: number; readonly maximumRetryDelayMs: number }) {
    this.nextDelayMs = delays.firstRetryDelayMs;
  }

  next(): number {
    const delayMs = this.nextDelayMs;
    this.nextDelayMs = Math.min(delayMs * 2, this.delays.maximumRetryDelayMs);
    return delayMs;
  }

  reset(): void {
    this.nextDelayMs = this.delays.firstRetryDelayMs;
  }
}

/** One read at a time. Whoever asks gets the answer of a read that began after they asked, shared with all the others. */
export class FreshRead<T> {
  private current: Promise<T> | undefined;
  private following: Promise<T> | undefined;

  constructor(private readonly readOnce: () => Promise<T>) {}

  read(): Promise<T> {
    if (this.following) return this.following;
    if (!this.current) return this.begin();
    const begin = () => this.begin();
    this.following = this.current.then(begin, begin);
    return this.following;
  }

  private begin(): Promise<T> {
    this.following = undefined;
    const reading = this.readOnce().finally(() => {
      if (this.current === reading) this.current = undefined;
    });
    this.current = reading;
    return reading;
  }
}

/**
 * Runs at most so many pieces of work at the same time, and fewer of one caller, so that another one finds some free. The
 * callers for whom others wait have their turns in a round.
 */
export class Permits {
  private readonly waiting = new CallerLines<() => void>();
  private readonly usedByCaller = new Map<string, number>();
  private usedByAll = 0;

  constructor(
    private readonly count: number,
    private readonly countOfCaller: number,
  ) {}

  get used(): number {
    return this.usedByAll;
  }

  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    if (this.isFreeFor(caller)) this.use(caller, 1);
    else await new Promise<void>((resolve) => this.waiting.add(caller, resolve));
    try {
      return await work();
    } finally {
      this.use(caller, -1);
      this.admit();
    }
  }

  private isFreeFor(caller: string): boolean {
    return this.usedByAll < this.count && (this.usedByCaller.get(caller) ?? 0) < this.countOfCaller;
  }

  private use(caller: string, change: 1 | -1): void {
    this.usedByAll += change;
    const used = (this.usedByCaller.get(caller) ?? 0) + change;
    if (used > 0) this.usedByCaller.set(caller, used);
    else this.usedByCaller.delete(caller);
  }

  private admit(): void {
    for (let left = this.waiting.callers; left > 0 && this.usedByAll < this.count; left--) {
      this.waiting.serveNext((line, caller) => {
        if (!this.isFreeFor(caller)) return;
        this.use(caller, 1);
        line.shift()?.();
      });
    }
  }
}
