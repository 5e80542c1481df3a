import type { Lane, LaneCheckpoints, LogRecord } from '@sluice/event-log';
import { Backoff, pause } from './waiting';

/** Records of several lanes, and where each of these is once they are handled. */
export interface CoalescedBatch {
  readonly records: readonly LogRecord[];
  readonly targets: LaneCheckpoints;
}

export interface BatchCoalescerOptions {
  readonly maxBatchRecords: number;
  readonly retryDelayMs: { readonly first: number; readonly maximum: number };
  /** After a batch of so many records that is not full, the next records are asked for only after so long, so that more collect. */
  readonly rest: { readonly afterRecords: number; readonly durationMs: number };
  /** Handles a batch; called again with the same batch after a back-off when it rejects. Never called twice at a time. */
  handle(batch: CoalescedBatch): Promise<void>;
  onFault(error: unknown): void;
}

interface LaneRun {
  readonly records: readonly LogRecord[];
  handled: number;
  onHandled(lastIndex: number): void;
  resolve(): void;
  reject(reason: unknown): void;
}

interface Share {
  readonly run: LaneRun;
  readonly count: number;
}

/**
 * Makes one stream of batches out of many lanes: everything that is pending goes into the next batch, up to its limit.
 * The order of each lane is kept. The buffer is as large as what was pushed and is not yet resolved.
 */
export class BatchCoalescer {
  private pending: LaneRun[] = [];
  private working: Promise<void> | undefined;
  private batchInHand: readonly Share[] | undefined;
  private handling: Promise<void> | undefined;
  private retryWait = new AbortController();
  private dropped: { readonly reason: unknown } | undefined;

  constructor(private readonly options: BatchCoalescerOptions) {}

  get isBusy(): boolean {
    return this.pending.length > 0 || this.working !== undefined;
  }

  /**
   * Resolves when all records are handled; rejects with the reason when they are dropped before that.
   * `onHandled` is told of progress, with the index of the last record that was handled.
   */
  push(records: readonly LogRecord[], onHandled: (lastIndex: number) => void): Promise<void> {
    if (records.length === 0) return Promise.resolve();
    return new Promise((resolve, reject) => {
      this.pending.push({ records, handled: 0, onHandled, resolve, reject });
      this.working ??= this.work();
    });
  }

  /**
   * Drops all that is not in hand. The batch in hand is not interrupted, but not retried either. Resolves when nothing
   * is in hand any more; what is pushed from now on waits for that.
   */
  async drop(reason: unknown): Promise<void> {
    const inHand = this.batchInHand;
    if (inHand) this.dropped = { reason };
    const isInHand = (run: LaneRun) => inHand?.some((share) => share.run === run) ?? false;
    for (const run of this.pending) if (!isInHand(run)) run.reject(reason);
    this.pending = this.pending.filter(isInHand);
    this.retryWait.abort();
    await this.handling;
  }

  private async work(): Promise<void> {
    // Lanes that are pushed in the same turn share the first batch.
    await Promise.resolve();
    while (this.pending.length > 0) {
      const shares = this.take();
      this.batchInHand = shares;
      this.handling = this.handleUntilDone(shares);
      await this.handling;
      this.batchInHand = undefined;
      this.handling = undefined;
    }
    this.working = undefined;
  }

  private take(): readonly Share[] {
    const shares: Share[] = [];
    let free = this.options.maxBatchRecords;
    for (const run of this.pending) {
      if (free === 0) break;
      const count = Math.min(free, run.records.length - run.handled);
      shares.push({ run, count });
      free -= count;
    }
    return shares;
  }

  private async handleUntilDone(shares: readonly Share[]): Promise<void> {
    const batch = toBatch(shares);
    const backoff = new Backoff(this.options.retryDelayMs);
    this.retryWait = new AbortController();
    let isHandled = false;
    while (!isHandled && !this.dropped) {
      try {
        await this.options.handle(batch);
        isHandled = true;
      } catch (error) {
        this.options.onFault(error);
        await pause(backoff.next(), this.retryWait.signal);
      }
    }
    if (isHandled) {
      const { maxBatchRecords, rest } = this.options;
      const { length } = batch.records;
      if (length >= rest.afterRecords && length < maxBatchRecords) await pause(rest.durationMs, this.retryWait.signal);
      this.settle(shares);
    }
    const { dropped } = this;
    this.dropped = undefined;
    if (!dropped) return;
    const runs = new Set(shares.map(({ run }) => run));
    for (const run of runs) run.reject(dropped.reason);
    this.pending = this.pending.filter((run) => !runs.has(run));
  }

  private settle(shares: readonly Share[]): void {
    for (const { run, count } of shares) {
      run.handled += count;
      const last = run.records[run.handled - 1];
      if (last) run.onHandled(last.index);
      if (run.handled === run.records.length) run.resolve();
    }
    this.pending = this.pending.filter(({ handled, records }) => handled < records.length);
  }
}

function toBatch(shares: readonly Share[]): CoalescedBatch {
  const records: LogRecord[] = [];
  const targets = new Map<Lane, number>();
  for (const { run, count } of shares) {
    for (let i = run.handled; i < run.handled + count; i++) {
      const record = run.records[i];
      if (!record) continue;
      records.push(record);
      targets.set(record.lane, record.index + 1);
    }
  }
  return { records, targets };
}
