import {
  CheckpointLost,
  type DurableLog,
  type LogBatch,
  type LogFollower,
  type ReadModel,
  type RecordedWitness,
} from '@sluice/event-log';
import { ProjectionLag } from './projection-lag';
import { projectBatch } from './project-batch';
import type { Publisher } from './publisher';
import type { ProjectorSignals } from './signals';

export interface ProjectorOptions {
  readonly durableLog: Pick<DurableLog, 'follow' | 'ends'>;
  readonly readModel: ReadModel;
  readonly publisher: Pick<Publisher, 'offer'>;
  readonly signals: ProjectorSignals;
  readonly maxBatchRecords: number;
  /** How often lag is measured; 2 s by default. */
  readonly lagIntervalMs?: number;
}

/** All projectors share the lanes of the log. */
const GROUP = 'projector';

/** How often lag is measured: one look at the log's ends and at the checkpoints. */
const LAG_INTERVAL_MS = 2_000;

/** Follows the durable log and brings what it holds into the read model, batch by batch. */
export class Projector {
  private follower: LogFollower | undefined;
  private lagTimer: NodeJS.Timeout | undefined;
  private measuring: Promise<void> | undefined;
  private readonly lag = new ProjectionLag();
  /** What this process recorded last. */
  private witness: RecordedWitness | undefined;
  private mayBeLost = false;

  constructor(private readonly options: ProjectorOptions) {}

  async start(): Promise<void> {
    const { durableLog, readModel, maxBatchRecords } = this.options;
    this.follower = await durableLog.follow({
      group: GROUP,
      maxBatchRecords,
      loadCheckpoints: (lanes) => {
        // Whoever begins anew has nothing to compare with what is stored.
        this.mayBeLost = true;
        return readModel.loadCheckpoints(lanes);
      },
      handle: (batch) => this.handle(batch),
      onFault: (error) => this.onFault(error),
    });
    this.lagTimer = setInterval(() => {
      // One at a time: a store that hangs must not collect questions.
      this.measuring ??= this.measureLag().finally(() => (this.measuring = undefined));
    }, this.options.lagIntervalMs ?? LAG_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.lagTimer);
    await this.follower?.stop();
    await this.measuring;
  }

  private onFault(error: unknown): void {
    const { signals } = this.options;
    if (error instanceof CheckpointLost) {
      this.mayBeLost = true;
      signals.foundLost('checkpoint');
    }
    signals.fault('follow', error);
  }

  private async handle(batch: LogBatch): Promise<void> {
    const { readModel, publisher, signals } = this.options;
    // Before positions are given a second time.
    if (this.mayBeLost && this.witness && (await readModel.beginEpochIfLost(this.witness)))
      signals.foundLost('position');
    this.mayBeLost = false;
    const { epoch, recorded } = await projectBatch(batch, readModel, signals);
    const last = recorded.at(-1)?.event;
    if (last) this.witness = { epoch, position: last.position, eventId: last.id };
    if (recorded.length > 0) publisher.offer(epoch, recorded);
  }

  private async measureLag(): Promise<void> {
    const { durableLog, readModel, signals } = this.options;
    try {
      const ends = await durableLog.ends();
      const seenAtMs = performance.now();
      const checkpoints = await readModel.loadCheckpoints([...ends.keys()]);
      const { records, ageMs } = this.lag.measure(ends, checkpoints, seenAtMs);
      signals.lag(records, ageMs / 1000);
      signals.parkedTotal(await readModel.parked.count());
    } catch (error) {
      signals.fault('lag', error);
    }
  }
}
