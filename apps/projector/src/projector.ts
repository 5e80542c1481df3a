import type { DurableLog, LogBatch, LogFollower, ReadModel } from '@sluice/event-log';
import { projectBatch } from './project-batch';
import type { Publisher } from './publisher';
import type { ProjectorSignals } from './signals';

export interface ProjectorOptions {
  readonly durableLog: DurableLog;
  readonly readModel: ReadModel;
  readonly publisher: Pick<Publisher, 'offer'>;
  readonly signals: ProjectorSignals;
  readonly maxBatchRecords: number;
}

/** All projectors share the lanes of the log. */
const GROUP = 'projector';

/** How often lag is measured: one look at the log's ends and at the checkpoints. */
const LAG_INTERVAL_MS = 2_000;

/** Follows the durable log and brings what it holds into the read model, batch by batch. */
export class Projector {
  private follower: LogFollower | undefined;
  private lagTimer: NodeJS.Timeout | undefined;
  private newestAppendedAt = Date.now();

  constructor(private readonly options: ProjectorOptions) {}

  async start(): Promise<void> {
    const { durableLog, readModel, signals, maxBatchRecords } = this.options;
    this.follower = await durableLog.follow({
      group: GROUP,
      maxBatchRecords,
      loadCheckpoints: (lanes) => readModel.loadCheckpoints(lanes),
      handle: (batch) => this.handle(batch),
      onFault: (error) => signals.fault('follow', error),
    });
    this.lagTimer = setInterval(() => void this.measureLag(), LAG_INTERVAL_MS);
  }

  async stop(): Promise<void> {
    clearInterval(this.lagTimer);
    await this.follower?.stop();
  }

  private async handle(batch: LogBatch): Promise<void> {
    const { readModel, publisher, signals } = this.options;
    const { epoch, recorded } = await projectBatch(batch, readModel, signals);
    if (recorded.length > 0) publisher.offer(epoch, recorded);
    this.newestAppendedAt = batch.records.at(-1)?.appendedAt ?? this.newestAppendedAt;
  }

  private async measureLag(): Promise<void> {
    const { durableLog, readModel, signals } = this.options;
    try {
      const ends = await durableLog.ends();
      const checkpoints = await readModel.loadCheckpoints([...ends.keys()]);
      let records = 0;
      for (const [lane, end] of ends) records += Math.max(0, end - (checkpoints.get(lane) ?? 0));
      signals.lag(records, records === 0 ? 0 : Math.max(0, Date.now() - this.newestAppendedAt) / 1000);
      signals.parkedTotal(await readModel.parked.count());
    } catch (error) {
      signals.fault('follow', error);
    }
  }
}
