import { SluiceError } from '@sluice/event-log';

export interface ListGateOptions {
  /** Lists that may be read at the same time. */
  readonly atOnce: number;
  /** Of those, the lists of one caller. */
  readonly atOncePerCaller: number;
  /** Lists that may wait for their turn. */
  readonly waiting: number;
  /** Of those, the lists of one caller. */
  readonly waitingPerCaller: number;
  /** Longest wait, in milliseconds. */
  readonly maxWaitMs: number;
  /** Told of each list that is refused. Must not throw. */
  onRefused(reason: ListRefusal): void;
}

export const LIST_REFUSALS = ['caller', 'line', 'wait'] as const;

/** Why a list is not read: its caller has too many in line, all callers have, or its turn did not come in time. */
export type ListRefusal = (typeof LIST_REFUSALS)[number];

/** As many lists as the read model has connections for, and what a page with many panels asks for at once. */
export const LIST_GATE_LIMITS = {
  atOnce: 4,
  atOncePerCaller: 2,
  waiting: 64,
  waitingPerCaller: 8,
  maxWaitMs: 5_000,
} as const;

const RETRY_AFTER_MS = 1_000;

interface Waiter {
  readonly caller: string;
  readonly begin: () => void;
}

/**
 * Lets in so many lists at once, and of one caller only some of them: lists cost what their conditions make them cost, and one
 * caller must not take what all need. The others wait in line; whoever has too many under way is passed over.
 */
export class ListGate {
  private readonly running = new Map<string, number>();
  private readonly line: Waiter[] = [];
  private runningCount = 0;

  constructor(private readonly options: ListGateOptions) {}

  get runningLists(): number {
    return this.runningCount;
  }

  get waitingLists(): number {
    return this.line.length;
  }

  /**
   * Reads a list when its turn has come.
   * @throws SluiceError `rate_limited` when the caller has too many lists in line, `overloaded` when all callers together have,
   *   or the turn does not come in time
   */
  async run<T>(caller: string, list: () => Promise<T>): Promise<T> {
    if (this.mayBegin(caller)) this.take(caller);
    else await this.turnOf(caller);
    try {
      return await list();
    } finally {
      this.giveBack(caller);
    }
  }

  private mayBegin(caller: string): boolean {
    const { atOnce, atOncePerCaller } = this.options;
    return this.runningCount < atOnce && (this.running.get(caller) ?? 0) < atOncePerCaller;
  }

  private turnOf(caller: string): Promise<void> {
    const { waiting, waitingPerCaller, maxWaitMs } = this.options;
    const own = this.line.filter((waiter) => waiter.caller === caller).length;
    if (own >= waitingPerCaller) throw this.refusal('caller');
    if (this.line.length >= waiting) throw this.refusal('line');
    return new Promise((resolve, reject) => {
      const giveUp = setTimeout(() => {
        this.line.splice(this.line.indexOf(waiter), 1);
        reject(this.refusal('wait'));
      }, maxWaitMs);
      const begin = () => {
        clearTimeout(giveUp);
        resolve();
      };
      const waiter: Waiter = { caller, begin };
      this.line.push(waiter);
    });
  }

  private take(caller: string): void {
    this.runningCount += 1;
    this.running.set(caller, (this.running.get(caller) ?? 0) + 1);
  }

  private giveBack(caller: string): void {
    const left = (this.running.get(caller) ?? 0) - 1;
    if (left > 0) this.running.set(caller, left);
    else this.running.delete(caller);
    this.runningCount -= 1;
    const next = this.line.findIndex((waiter) => this.mayBegin(waiter.caller));
    const [waiter] = next < 0 ? [] : this.line.splice(next, 1);
    if (!waiter) return;
    this.take(waiter.caller);
    waiter.begin();
  }

  private refusal(reason: ListRefusal): SluiceError {
    this.options.onRefused(reason);
    const code = reason === 'caller' ? 'rate_limited' : 'overloaded';
    const message =
      reason === 'caller' ? 'Too many lists of this caller are under way' : 'Too many lists are under way';
    return new SluiceError(code, message, { retryAfterMs: RETRY_AFTER_MS });
  }
}
