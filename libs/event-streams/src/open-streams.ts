/** A subscriber's stream, by whatever protocol. */
export interface OpenStream {
  /** Ends it as `shutting_down`, with a last word that says where to resume. Idempotent; it must not throw. */
  shutDown(): void;
  /** Resolves when its connection is gone. It must not reject. */
  readonly over: Promise<void>;
}

/** Longest pause between two ends: a few streams need not be spread over the whole time. */
const MAX_PAUSE_MS = 500;

export interface SpreadOptions {
  /** In how many milliseconds, at most, all have been told to end. */
  readonly spreadMs: number;
  /** From 0 to less than 1. */
  readonly random?: () => number;
}

/** The streams of this process that are not over: a drain ends them one by one, and lets them finish. */
export class OpenStreams {
  private readonly open = new Set<OpenStream>();
  private allEnd = false;

  get size(): number {
    return this.open.size;
  }

  /** Remembers a stream until it is over. One that comes when all the others have been told to end is told at once. */
  add(stream: OpenStream): void {
    this.open.add(stream);
    void stream.over.then(() => this.open.delete(stream));
    if (this.allEnd) stream.shutDown();
  }

  /**
   * Ends all, in random order and evenly over the time, so that their subscribers do not all connect again at once.
   * Resolves when they are over.
   */
  async endAll({ spreadMs, random = Math.random }: SpreadOptions): Promise<void> {
    const streams = shuffled(this.open, random);
    const pauseMs = Math.min(MAX_PAUSE_MS, spreadMs / streams.length);
    const startedAtMs = performance.now();
    for (const [place, stream] of streams.entries()) {
      const waitMs = startedAtMs + place * pauseMs - performance.now();
      if (waitMs > 0) await pause(waitMs, stream.over);
      stream.shutDown();
    }
    this.allEnd = true;
    for (const stream of this.open) stream.shutDown();
    await Promise.all([...this.open].map(({ over }) => over));
  }
}

/** Not longer than until the other is done. */
async function pause(durationMs: number, done: Promise<void>): Promise<void> {
  let timer: NodeJS.Timeout | undefined;
  await Promise.race([new Promise((resolve) => (timer = setTimeout(resolve, durationMs))), done]);
  clearTimeout(timer);
}

function shuffled<T>(items: Iterable<T>, random: () => number): T[] {
  const places = Array.from(items, (item) => ({ item, at: random() }));
  return places.sort((a, b) => a.at - b.at).map(({ item }) => item);
}

/** By when, as a share of a drain's time, streams have to be over; what comes before takes little of it. */
const WORKERS_SHARE = 0.8;

/** How much of what is left until then may pass before the last stream is told to end: the rest is to read the end. */
const SPREAD_SHARE = 0.5;

/** The wanted spread in milliseconds, or as much of it as the time of a drain allows. */
export function boundedSpreadMs(
  wantedMs: number,
  { timeoutMs, delayMs }: { readonly timeoutMs: number; readonly delayMs: number },
): number {
  const leftMs = timeoutMs * WORKERS_SHARE - Math.min(delayMs, timeoutMs / 2);
  return Math.min(wantedMs, leftMs * SPREAD_SHARE);
}
