import type { Lane } from '@sluice/event-log';

/**
 * Tells the broker now and then how far the group is, for operators' lag tools. Nothing rests on it: the checkpoints are
 * the truth, so a failed commit is forgotten.
 */
export class OffsetCommitter {
  private readonly noted = new Map<Lane, number>();
  private lastCommitAt = performance.now();
  private committing: Promise<void> | undefined;

  constructor(
    private readonly intervalMs: number,
    private readonly commit: (offsets: ReadonlyMap<Lane, number>) => Promise<void>,
  ) {}

  /** The lane is handled up to, and without, `next`. */
  note(lane: Lane, next: number): void {
    this.noted.set(lane, next);
    if (performance.now() - this.lastCommitAt >= this.intervalMs) void this.flush().catch(() => undefined);
  }

  /** Forgets what was noted: the lanes belong to somebody else now. */
  clear(): void {
    this.noted.clear();
  }

  /** Commits what was noted. */
  async flush(): Promise<void> {
    await this.committing?.catch(() => undefined);
    if (this.noted.size === 0) return;
    this.lastCommitAt = performance.now();
    const offsets = new Map(this.noted);
    this.noted.clear();
    this.committing = this.commit(offsets);
    try {
      await this.committing;
    } finally {
      this.committing = undefined;
    }
  }
}
