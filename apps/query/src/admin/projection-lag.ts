import type { DurableLog, EventRecorder, Lane } from '@sluice/event-log';

export interface LaneLag {
  readonly lane: Lane;
  /** The index that the next stored record will have. */
  readonly end: number;
  /** The index of the next record to project. */
  readonly checkpoint: number;
  readonly behind: number;
}

export interface LagReport {
  /** Records of all lanes that are not projected yet. */
  readonly events: number;
  readonly lanes: readonly LaneLag[];
}

/** How far the read model is behind the durable log. */
export class ProjectionLag {
  constructor(
    private readonly recorder: Pick<EventRecorder, 'loadCheckpoints'>,
    private readonly durableLog: () => Promise<DurableLog>,
  ) {}

  /** @throws SluiceError `log_unavailable`, `read_model_unavailable` */
  async measure(): Promise<LagReport> {
    const ends = await (await this.durableLog()).ends();
    // The checkpoints are read last: what was projected meanwhile makes the lag smaller, never negative.
    const checkpoints = await this.recorder.loadCheckpoints([...ends.keys()]);
    const lanes = [...ends]
      .map(([lane, end]): LaneLag => {
        const checkpoint = checkpoints.get(lane) ?? 0;
        return { lane, end, checkpoint, behind: Math.max(0, end - checkpoint) };
      })
      .sort((a, b) => a.lane - b.lane);
    return { events: lanes.reduce((sum, { behind }) => sum + behind, 0), lanes };
  }
}
