import { EngineBusy } from './engine';

/** What has places, and how many. */
export interface Bound {
  readonly name: string;
  readonly max: number;
}

interface Waiting {
  readonly bounds: readonly Bound[];
  readonly admit: () => void;
}

/**
 * Places of those who are told at a time, so that one who is slow to answer keeps only those waiting who want to tell it
 * something too. They wait in one line, first come first served among those who want the same; it is as long as it may be.
 */
export class EnginePlaces {
  private readonly taken = new Map<string, number>();
  private readonly line = new Set<Waiting>();

  constructor(private readonly maxWaiting: number) {}

  /** How many wait. */
  get waiting(): number {
    return this.line.size;
  }

  /**
   * Resolves when there is a place of each, with what gives them up.
   * @throws EngineBusy when too many wait; the reason of the signal when it is aborted
   */
  async enter(bounds: readonly Bound[], signal: AbortSignal): Promise<() => void> {
    if (this.isFree(bounds)) this.take(bounds);
    else await this.wait(bounds, signal);
    return () => this.leave(bounds);
  }

  private async wait(bounds: readonly Bound[], signal: AbortSignal): Promise<void> {
    if (this.line.size >= this.maxWaiting) throw new EngineBusy('Too much waits to be told to engines');
    signal.throwIfAborted();
    await new Promise<void>((resolve, reject) => {
      const end = (settle: () => void) => () => {
        this.line.delete(waiting);
        signal.removeEventListener('abort', abort);
        settle();
      };
      const waiting: Waiting = { bounds, admit: end(resolve) };
      const abort = end(() => reject(signal.reason as Error));
      signal.addEventListener('abort', abort);
      this.line.add(waiting);
    });
  }

  private leave(bounds: readonly Bound[]): void {
    for (const { name } of bounds) {
      const rest = (this.taken.get(name) ?? 0) - 1;
      if (rest > 0) this.taken.set(name, rest);
      else this.taken.delete(name);
    }
    for (const waiting of this.line) {
      if (!this.isFree(waiting.bounds)) continue;
      this.take(waiting.bounds);
      waiting.admit();
    }
  }

  private isFree(bounds: readonly Bound[]): boolean {
    return bounds.every(({ name, max }) => (this.taken.get(name) ?? 0) < max);
  }

  private take(bounds: readonly Bound[]): void {
    for (const { name } of bounds) this.taken.set(name, (this.taken.get(name) ?? 0) + 1);
  }
}
