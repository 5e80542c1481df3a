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

/** Runs at most so many pieces of work at the same time. The callers for whom others wait have their turns in a round. */
export class Permits {
  private readonly waiting = new CallerLines<() => void>();
  private free: number;

  constructor(private readonly count: number) {
    this.free = count;
  }

  get used(): number {
    return this.count - this.free;
  }

  async run<T>(caller: string, work: () => Promise<T>): Promise<T> {
    if (this.free > 0) this.free--;
    else await new Promise<void>((resolve) => this.waiting.add(caller, resolve));
    try {
      return await work();
    } finally {
      const next = this.waiting.next();
      if (next) next();
      else this.free++;
    }
  }
}
