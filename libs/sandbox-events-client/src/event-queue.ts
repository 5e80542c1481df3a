import { MAX_QUEUED_BYTES } from './constants';
import type { SandboxEvent } from './types';

interface Waiter {
  resolve: (result: IteratorResult<SandboxEvent, undefined>) => void;
  reject: (error: Error) => void;
}

/**
 * Events that wait for one `for await` loop. It takes whatever is pushed; whoever fills it looks at `isFull` and stops
 * until `onRoom` is called, at half of the limits.
 */
export class EventQueue implements AsyncIterableIterator<SandboxEvent> {
  private readonly events: { event: SandboxEvent; bytes: number }[] = [];
  private readonly waiters: Waiter[] = [];
  private bytes = 0;
  private full = false;
  private finished = false;
  private failure: Error | undefined;

  constructor(
    private readonly maxEvents: number,
    private readonly callbacks: {
      /** The reader has caught up to half of the limits. */
      onRoom: () => void;
      /** The reader has left. */
      onReturn: (queue: EventQueue) => void;
    },
  ) {}

  get isFull(): boolean {
    return this.full;
  }

  push(event: SandboxEvent, bytes: number): void {
    if (this.finished) return;
    const waiter = this.waiters.shift();
    if (waiter !== undefined) {
      waiter.resolve({ done: false, value: event });
      return;
    }
    this.events.push({ event, bytes });
    this.bytes += bytes;
    this.full ||= this.events.length >= this.maxEvents || this.bytes >= MAX_QUEUED_BYTES;
  }

  /** Ends the loop once the waiting events are read; with an error, the loop throws it then. */
  finish(error?: Error): void {
    if (this.finished) return;
    this.finished = true;
    this.failure = error;
    for (const waiter of this.waiters.splice(0)) {
      if (this.failure === undefined) waiter.resolve({ done: true, value: undefined });
      else waiter.reject(this.failure);
      this.failure = undefined;
    }
  }

  next(): Promise<IteratorResult<SandboxEvent, undefined>> {
    const entry = this.events.shift();
    if (entry !== undefined) {
      this.bytes -= entry.bytes;
      if (this.full && this.events.length <= this.maxEvents / 2 && this.bytes <= MAX_QUEUED_BYTES / 2) {
        this.full = false;
        this.callbacks.onRoom();
      }
      return Promise.resolve({ done: false, value: entry.event });
    }
    if (this.finished) {
      const error = this.failure;
      this.failure = undefined;
      return error === undefined ? Promise.resolve({ done: true, value: undefined }) : Promise.reject(error);
    }
    return new Promise((resolve, reject) => {
      this.waiters.push({ resolve, reject });
    });
  }

  return(): Promise<IteratorResult<SandboxEvent, undefined>> {
    this.events.length = 0;
    this.bytes = 0;
    this.full = false;
    this.finish();
    this.failure = undefined;
    this.callbacks.onReturn(this);
    return Promise.resolve({ done: true, value: undefined });
  }

  [Symbol.asyncIterator](): this {
    return this;
  }
}
