import type { Head } from '@sluice/event-log';
import type { Epoch, Position } from '@sluice/event-schema';
import type { FeedSourceOptions } from './feed-source-options';

/** The sequence whose end is watched. */
export interface WatchedTail {
  readonly running: boolean;
  readonly followsDeliveryLog: boolean;
  readonly currentEpoch: Epoch | undefined;
  /** The last event of the sequence so far. */
  readonly position: Position;
  /** The highest position that the delivery log has brought, of those that were there already too. */
  readonly brought: Position;
  refresh(): Promise<Head>;
  /** Reads what is missing up to there from the read model. */
  fillUpTo(position: Position): void;
}

/** Finds what the delivery log lost at the end, where no later event shows a gap. */
export class TailWatch {
  constructor(
    private readonly tail: WatchedTail,
    private readonly options: Pick<FeedSourceOptions, 'limits' | 'pauses' | 'onFault'>,
  ) {}

  /** Until the sequence ends. */
  async run(): Promise<void> {
    const { tail, options } = this;
    while (tail.running) {
      await options.pauses.pause(options.limits.tailCheckMs);
      if (!tail.running) return;
      try {
        const found = await tail.refresh();
        const isTooLate = await this.leaveTime(found.position);
        // Much was recorded meanwhile.
        const { epoch, position } = isTooLate ? await tail.refresh() : found;
        if (epoch === tail.currentEpoch && position > tail.position) tail.fillUpTo(position);
      } catch (error) {
        options.onFault(error);
      }
    }
  }

  /**
   * Waits for a log that is late and goes on. If all who follow it read from the read model instead, the projector and the
   * publisher have less of the database: the log comes later still, and nobody goes back to it.
   * @returns whether it is too late to be waited for any longer
   */
  private async leaveTime(position: Position): Promise<boolean> {
    const { tail, options } = this;
    const { tailGraceMs, tailPatienceMs } = options.limits;
    const until = performance.now() + tailPatienceMs;
    let before: Position | undefined;
    while (tail.running && tail.followsDeliveryLog && tail.position < position && tail.brought !== before) {
      if (performance.now() >= until) return true;
      before = tail.brought;
      await options.pauses.pause(tailGraceMs);
    }
    return false;
  }
}
