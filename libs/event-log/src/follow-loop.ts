import { CHECKPOINT_CHECK_MS, CheckpointLost, findLost } from './checkpoint-lost';
import type { CheckpointMove, FollowLogOptions, Lane, LaneCheckpoints, LogRecord } from './ports/durable-log';
import { WakeUp } from './wake-up';

/**
 * Waits between attempts to handle the same batch: doubled each time, up to the maximum. A wake-up shortens a wait, as it
 * may tell that the fault is over, but never below the first.
 */
export const RETRY_DELAY_MS = { first: 50, maximum: 5_000 } as const;

/**
 * A follower under load rests after a batch of so many records, for so long, and lets more collect: fewer and larger
 * batches cost much less per event, and leave the machine to the writers. A quiet log is followed without any rest, and so
 * is a backlog: after a full batch.
 */
export const FOLLOW_REST = { afterRecords: 32, durationMs: 10 } as const;

/** Longest sleep without a wake-up: a lost hint costs at most this long. */
const IDLE_POLL_MS = 1_000;

/** A log that can be read by index, as one follower sees it. */
export interface FollowedLog {
  /**
   * The records at and after the checkpoints, in lane order; may return fewer than there are. Undefined while it is not this
   * follower's turn.
   */
  read(checkpoints: LaneCheckpoints, maxRecords: number): Promise<readonly LogRecord[] | undefined>;
  /** See DurableLog.ends. What is before is read from then on, unless it is erased. */
  ends(): Promise<LaneCheckpoints>;
}

/**
 * The loop of a follower over a log that can be read by index: read, handle, move on, sleep until woken. A failing batch
 * is read again after a back-off; nothing is skipped. Where the newest records are erased, it moves to the end by a batch
 * without records. What is stored is compared now and then with how far the loop is: where
 * it is behind, it was lost, and the loop goes back.
 */
export class FollowLoop {
  private running: Promise<void> | undefined;
  private stopping = false;
  private stale = true;
  private readonly wakeUp = new WakeUp();
  private readonly stopSignal = new WakeUp();
  private checkpoints = new Map<Lane, number>();
  private loadedAt = -Infinity;

  constructor(
    private readonly options: FollowLogOptions,
    private readonly log: FollowedLog,
    private readonly lanes: readonly Lane[],
  ) {}

  start(): void {
    this.running = this.run();
  }

  wake(): void {
    this.wakeUp.wake();
  }

  /** Another follower of the group may have moved the checkpoints: load them before the next read. */
  takeOver(): void {
    this.stale = true;
    this.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.stopSignal.wake();
    this.wake();
    await this.running;
  }

  private async run(): Promise<void> {
    let retryDelayMs: number = RETRY_DELAY_MS.first;
    while (!this.stopping) {
      try {
        const handled = await this.handleNext();
        if (handled === 0) await this.sleep(Math.min(IDLE_POLL_MS, this.options.checkIntervalMs ?? IDLE_POLL_MS));
        if (handled >= FOLLOW_REST.afterRecords && handled < this.options.maxBatchRecords)
          await this.stopSignal.sleep(FOLLOW_REST.durationMs);
        retryDelayMs = RETRY_DELAY_MS.first;
      } catch (error) {
        this.stale = true;
        // It is told of what was lost, once.
        if (error instanceof CheckpointLost) this.checkpoints.clear();
        this.options.onFault?.(error);
        this.wakeUp.reset();
        await this.stopSignal.sleep(RETRY_DELAY_MS.first);
        await this.sleep(retryDelayMs - RETRY_DELAY_MS.first);
        retryDelayMs = Math.min(retryDelayMs * 2, RETRY_DELAY_MS.maximum);
      }
    }
  }

  /** How many records it handled. */
  private async handleNext(): Promise<number> {
    this.wakeUp.reset();
    const { maxBatchRecords, checkIntervalMs = CHECKPOINT_CHECK_MS } = this.options;
    if (this.stale || performance.now() - this.loadedAt >= checkIntervalMs) await this.load();
    const records = await this.log.read(this.checkpoints, maxBatchRecords);
    if (records?.length === 0) await this.passErased();
    if (!records || records.length === 0) return 0;
    const batch = records.slice(0, maxBatchRecords);
    await this.handle(batch, new Map(batch.map(({ lane, index }) => [lane, index + 1])));
    return batch.length;
  }

  /** Nothing was there to read: what is before the ends is erased, unless it can be read once these are known. */
  private async passErased(): Promise<void> {
    const ends = [...(await this.log.ends())].filter(([lane, end]) => end > (this.checkpoints.get(lane) ?? 0));
    if (ends.length === 0) return;
    const records = await this.log.read(this.checkpoints, 1);
    if (records?.length === 0) await this.handle([], new Map(ends));
    else this.wake();
  }

  private async handle(records: readonly LogRecord[], targets: LaneCheckpoints): Promise<void> {
    const checkpoints = new Map<Lane, CheckpointMove>();
    for (const [lane, to] of targets) checkpoints.set(lane, { from: this.checkpoints.get(lane) ?? 0, to });
    await this.options.handle({ records, checkpoints });
    for (const [lane, to] of targets) this.checkpoints.set(lane, to);
  }

  private async load(): Promise<void> {
    const stored = await this.options.loadCheckpoints(this.lanes);
    const lost = findLost(this.checkpoints, stored);
    this.checkpoints = new Map(stored);
    this.loadedAt = performance.now();
    this.stale = false;
    if (lost) this.options.onFault?.(lost);
  }

  private async sleep(durationMs: number): Promise<void> {
    if (!this.stopping && durationMs > 0) await this.wakeUp.sleep(durationMs);
  }
}
