import { SluiceError } from './errors';

export interface AppendBatcherOptions<Event> {
  /** Stores the events, all durably when it resolves. Called again only after the last call settled. */
  send(events: readonly Event[]): Promise<void>;
  /** Bytes of one event, as it is stored. */
  sizeOf(event: Event): number;
  /** Most events that may be unfinished, waiting and in flight together. */
  readonly maxQueuedEvents: number;
  /** Most bytes of events that may be unfinished, waiting and in flight together. */
  readonly maxQueuedBytes: number;
  readonly maxBatchEvents: number;
  /** Most bytes of events in one send; a single larger event is sent alone. */
  readonly maxBatchBytes: number;
  /**
   * Longest wait, in milliseconds, for callers that come again: after a send that several appends shared, the next one
   * waits until as many are there again, but no longer than this after that send. Larger batches cost less per event. 0,
   * the default, never waits.
   */
  readonly lingerMs?: number;
  /** Told whenever the amount of unfinished work changes. Must not throw. */
  onQueue?(queued: { readonly events: number; readonly bytes: number }): void;
  /** Told after each send, successful or not. Must not throw. */
  onBatch?(batch: { readonly events: number; readonly bytes: number; readonly durationMs: number }): void;
}

interface PendingAppend<Event> {
  readonly events: readonly Event[];
  readonly sizes: readonly number[];
  readonly bytes: number;
  resolve(): void;
  reject(error: unknown): void;
}

interface Chunk<Event> {
  readonly events: Event[];
  bytes: number;
}

/**
 * Group commit: while one send is in flight, further appends collect, and the next send takes as many of them as fit.
 * Order is the order of the calls. Callers that do not crowd are never waited for, see `lingerMs`.
 *
 * The events of one append share one send, and so fail or succeed together, unless the append is larger than a batch:
 * then they go in several sends, and the first failure rejects the append and leaves the rest unsent.
 */
export class AppendBatcher<Event> {
  private readonly waiting: PendingAppend<Event>[] = [];
  private queuedEvents = 0;
  private queuedBytes = 0;
  private running: Promise<void> | undefined;
  /** How many appends are expected to wait soon after the last send, judged by how many there were. */
  private crowd = 0;
  private lastSendEndedAt = -Infinity;
  private onArrival: (() => void) | undefined;
  private closed = false;

  constructor(private readonly options: AppendBatcherOptions<Event>) {}

  /**
   * Resolves when all events are stored. An append that finds nothing unfinished is taken whatever its size.
   * @throws SluiceError `overloaded` when the queue limits are reached, `log_unavailable` after `close`; whatever `send` rejects with
   */
  append(events: readonly Event[]): Promise<void> {
    if (this.closed) return Promise.reject(new SluiceError('log_unavailable', 'The log is closed'));
    if (events.length === 0) return Promise.resolve();
    const sizes = events.map((event) => this.options.sizeOf(event));
    const bytes = sizes.reduce((total, size) => total + size, 0);
    const { maxQueuedEvents, maxQueuedBytes } = this.options;
    const fits = this.queuedEvents + events.length <= maxQueuedEvents && this.queuedBytes + bytes <= maxQueuedBytes;
    if (!fits && this.queuedEvents > 0) {
      return Promise.reject(new SluiceError('overloaded', 'Too many events wait to be stored'));
    }
    return new Promise<void>((resolve, reject) => {
      this.waiting.push({ events, sizes, bytes, resolve, reject });
      this.count(events.length, bytes);
      this.onArrival?.();
      this.running ??= this.run();
    });
  }

  /** Resolves as soon as nothing is unfinished; a failed append counts as finished. Never rejects. */
  async drain(): Promise<void> {
    await this.running;
  }

  /** Refuses further appends and drains. Idempotent. */
  close(): Promise<void> {
    this.closed = true;
    this.onArrival?.();
    return this.drain();
  }

  private count(events: number, bytes: number): void {
    this.queuedEvents += events;
    this.queuedBytes += bytes;
    this.options.onQueue?.({ events: this.queuedEvents, bytes: this.queuedBytes });
  }

  private async run(): Promise<void> {
    // Appends that were called in the same turn share the first send.
    await Promise.resolve();
    while (this.waiting.length > 0) {
      await this.linger();
      await this.sendNext();
    }
    this.running = undefined;
  }

  /** Waits for the crowd of the last send, as long after that send as `lingerMs` allows. */
  private async linger(): Promise<void> {
    const { lingerMs = 0, maxBatchEvents, maxBatchBytes } = this.options;
    const leftMs = this.lastSendEndedAt + lingerMs - performance.now();
    const isComplete = (): boolean =>
      this.waiting.length >= this.crowd ||
      this.queuedEvents >= maxBatchEvents ||
      this.queuedBytes >= maxBatchBytes ||
      this.closed;
    if (this.crowd <= 1 || leftMs <= 0 || isComplete()) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, leftMs);
      this.onArrival = () => {
        if (!isComplete()) return;
        clearTimeout(timer);
        resolve();
      };
    });
    this.onArrival = undefined;
  }

  private async sendNext(): Promise<void> {
    const group = this.takeGroup();
    let failure: { readonly error: unknown } | undefined;
    try {
      for (const chunk of this.split(group)) await this.send(chunk);
    } catch (error) {
      failure = { error };
    }
    for (const { events, bytes, resolve, reject } of group) {
      this.count(-events.length, -bytes);
      if (failure) reject(failure.error);
      else resolve();
    }
    this.crowd = group.length + this.waiting.length;
    this.lastSendEndedAt = performance.now();
  }

  /** The first waiting append, whatever its size, and as many whole ones after it as fit in the same batch. */
  private takeGroup(): PendingAppend<Event>[] {
    const { maxBatchEvents, maxBatchBytes } = this.options;
    let [events, bytes, length] = [0, 0, 0];
    for (const append of this.waiting) {
      events += append.events.length;
      bytes += append.bytes;
      if (length > 0 && (events > maxBatchEvents || bytes > maxBatchBytes)) break;
      length++;
    }
    return this.waiting.splice(0, length);
  }

  /** One chunk, except for a single append that is larger than a batch. */
  private split(group: readonly PendingAppend<Event>[]): readonly Chunk<Event>[] {
    const { maxBatchEvents, maxBatchBytes } = this.options;
    const chunks: Chunk<Event>[] = [];
    for (const { events, sizes } of group) {
      for (const [i, event] of events.entries()) {
        const size = sizes[i] ?? 0;
        let chunk = chunks.at(-1);
        if (!chunk || chunk.events.length >= maxBatchEvents || chunk.bytes + size > maxBatchBytes) {
          chunk = { events: [], bytes: 0 };
          chunks.push(chunk);
        }
        chunk.events.push(event);
        chunk.bytes += size;
      }
    }
    return chunks;
  }

  private async send({ events, bytes }: Chunk<Event>): Promise<void> {
    const startedAt = performance.now();
    try {
      await this.options.send(events);
    } finally {
      this.options.onBatch?.({ events: events.length, bytes, durationMs: performance.now() - startedAt });
    }
  }
}
