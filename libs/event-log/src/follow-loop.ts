import type { FollowLogOptions, Lane, LaneCheckpoints, LogRecord } from './ports/durable-log';
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

/** Reads the records at and after the checkpoints, in lane order; may return fewer than there are. */
export type ReadRecords = (checkpoints: LaneCheckpoints, maxRecords: number) => Promise<readonly LogRecord[]>;

/**
 * The loop of a follower over a log that can be read by index: read, handle, move on, sleep until woken. A failing batch
 * is read again after a back-off; nothing is skipped.
 */
export class FollowLoop {
  private running: Promise<void> | undefined;
  private stopping = false;
  private stale = true;
  private readonly wakeUp = new WakeUp();
  private readonly stopSignal = new WakeUp();
  private checkpoints = new Map<Lane, number>();

  constructor(
    private readonly options: FollowLogOptions,
    private readonly read: ReadRecords,
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
        if (handled === 0) await this.sleep(IDLE_POLL_MS);
        if (handled >= FOLLOW_REST.afterRecords && handled < this.options.maxBatchRecords)
          await this.stopSignal.sleep(FOLLOW_REST.durationMs);
        retryDelayMs = RETRY_DELAY_MS.first;
      } catch (error) {
        this.stale = true;
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
    if (this.stale) {
      this.checkpoints = new Map(await this.options.loadCheckpoints(this.lanes));
      this.stale = false;
    }
    const { maxBatchRecords } = this.options;
    const records = (await this.read(this.checkpoints, maxBatchRecords)).slice(0, maxBatchRecords);
    if (records.length === 0) return 0;
    const checkpoints = new Map<Lane, number>();
    for (const { lane, index } of records) checkpoints.set(lane, index + 1);
    await this.options.handle({ records, checkpoints });
    for (const [lane, next] of checkpoints) this.checkpoints.set(lane, next);
    return records.length;
  }

  private async sleep(durationMs: number): Promise<void> {
    if (!this.stopping && durationMs > 0) await this.wakeUp.sleep(durationMs);
  }
}
