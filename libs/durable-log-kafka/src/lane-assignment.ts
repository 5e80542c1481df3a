import type { Lane } from '@sluice/event-log';

/** Why records that were not handled are dropped: they come again, here or at another follower. */
export class LanesLost extends Error {
  override readonly name = 'LanesLost';
}

/** The lanes that one follower has between two rebalances. Nothing is handled before it is ready. */
export class LaneAssignment {
  private readonly ending = new AbortController();
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

  open(): void {
    this.release();
  }

  end(reason: unknown): void {
    this.fail(reason);
    this.ending.abort();
  }
}
