import type { CheckpointMoves, Lane, LaneCheckpoints } from '@sluice/event-log';

/** Why records that were not handled are dropped: they come again, here or at another follower. */
export class LanesLost extends Error {
  override readonly name = 'LanesLost';
}

/** The lanes that one follower has between two rebalances. Nothing is handled before it is ready. */
export class LaneAssignment {
  private readonly ending = new AbortController();
  private reached = new Map<Lane, number>();
  private release: () => void = () => undefined;
  private fail: (reason: unknown) => void = () => undefined;

  /** Resolves when the checkpoints are in force; rejects when the lanes are lost before that. */
  readonly ready = new Promise<void>((resolve, reject) => {
    this.release = resolve;
    this.fail = reject;
  });

  constructor(readonly lanes: readonly Lane[]) {
    // Nobody may be waiting when it ends.
    this.ready.catch(() => undefined);
  }

  /** Aborted when the lanes are lost. */
  get signal(): AbortSignal {
    return this.ending.signal;
  }

  /** The lanes are read from these checkpoints on. */
  open(checkpoints: LaneCheckpoints): void {
    this.reached = new Map(checkpoints);
    this.release();
  }

  /** The lane is handled up to, and without, `next`. */
  reach(lane: Lane, next: number): void {
    this.reached.set(lane, next);
  }

  /** How far the lanes are handled. */
  get checkpoints(): LaneCheckpoints {
    return new Map(this.reached);
  }

  movesTo(targets: LaneCheckpoints): CheckpointMoves {
    return new Map([...targets].map(([lane, to]) => [lane, { from: this.reached.get(lane) ?? 0, to }]));
  }

  end(reason: unknown): void {
    this.fail(reason);
    this.ending.abort();
  }
}
