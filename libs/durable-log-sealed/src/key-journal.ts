import {
  SluiceError,
  type ByteLog,
  type EntityKeys,
  type JournalledKey,
  type LaneCheckpoints,
  type LogBatch,
  type LogFollower,
} from '@sluice/event-log';
import { JournalTicks } from './journal-ticks';
import { fromJournal, TICK, toJournalEntry } from './journalled-key';
import type { SealedSettings } from './options';

/** What the followers of the journal call their group. */
export const KEY_JOURNAL_GROUP = 'entity-keys';
const BATCH_RECORDS = 5_000;
const POLL_INTERVAL_MS = 20;

/**
 * The journal of keys, and the index that is made from it. Whoever writes a key has it in the index first; the journal is read
 * for what the index lost: keys, and that keys were destroyed.
 */
export class KeyJournal {
  private following: Promise<LogFollower> | undefined;
  private running: Promise<void> = Promise.resolve();
  private queued: Promise<void> | undefined;
  private closed = false;
  private readonly ticks = new JournalTicks(() => this.log.appendEntries([TICK]));

  constructor(
    private readonly log: ByteLog,
    private readonly keys: EntityKeys,
    private readonly settings: SealedSettings,
  ) {}

  /** Resolves when the journal has them durably. @throws SluiceError `log_unavailable`, `overloaded` */
  store(keys: readonly JournalledKey[]): Promise<void> {
    return keys.length === 0 ? Promise.resolve() : this.log.appendEntries(keys.map(toJournalEntry));
  }

  /** Keeps the index up to the journal until it is closed, so that nobody has far to catch up. */
  async follow(): Promise<void> {
    this.following ??= this.startFollowing();
    await this.following;
    // Of destructions before this process came nobody may have been left to tick.
    if (!this.closed) this.ticks.begin();
  }

  /** Resolves when the index has all that the journal had when it was called. @throws SluiceError `log_unavailable` */
  catchUp(): Promise<void> {
    this.queued ??= this.running
      .catch(() => undefined)
      .then(() => {
        this.queued = undefined;
        this.running = this.readToEnd();
        return this.running;
      });
    return this.queued;
  }

  async close(): Promise<void> {
    this.closed = true;
    this.ticks.stop();
    await this.running.catch(() => undefined);
    const follower = await this.following?.catch(() => undefined);
    await follower?.stop();
    await this.log.close();
  }

  private async readToEnd(): Promise<void> {
    const { catchUpGraceMs, catchUpTimeoutMs } = this.settings.limits;
    const ends = await this.log.ends();
    // Rather than take the lanes of one who is at it already.
    if (await this.reaches(ends, this.following ? catchUpTimeoutMs : catchUpGraceMs)) return;
    const follower = await this.startFollowing();
    try {
      if (await this.reaches(ends, catchUpTimeoutMs)) return;
    } finally {
      await follower.stop();
    }
    throw new SluiceError('log_unavailable', 'The journal of keys cannot be read');
  }

  /** Waits for the index to come there, for as long as it moves at least once in this time. */
  private async reaches(ends: LaneCheckpoints, withinMs: number): Promise<boolean> {
    const lanes = [...ends.keys()];
    let [left, movedAt] = [Infinity, performance.now()];
    for (;;) {
      const reached = await this.keys.loadCheckpoints(lanes);
      const leftBefore = left;
      left = lanes.reduce((sum, lane) => sum + Math.max(0, (ends.get(lane) ?? 0) - (reached.get(lane) ?? 0)), 0);
      if (left === 0) return true;
      if (left !== leftBefore) movedAt = performance.now();
      if (performance.now() - movedAt >= withinMs || this.closed) return false;
      await new Promise((resolve) => setTimeout(resolve, POLL_INTERVAL_MS));
    }
  }

  private startFollowing(): Promise<LogFollower> {
    return this.log.follow({
      group: KEY_JOURNAL_GROUP,
      maxBatchRecords: BATCH_RECORDS,
      loadCheckpoints: (lanes) => this.keys.loadCheckpoints(lanes),
      handle: (batch) => this.takeOver(batch),
      onFault: (error) => this.settings.onFault(error),
    });
  }

  private async takeOver({ records, checkpoints }: LogBatch): Promise<void> {
    const keys: JournalledKey[] = [];
    for (const { value, index } of records) {
      try {
        const key = fromJournal(value);
        if (key) keys.push(key);
      } catch (error) {
        this.settings.onFault(new Error(`Record ${index} of the journal of keys is no key`, { cause: error }));
      }
    }
    if (keys.some(({ key }) => key === undefined) && this.following && !this.closed) this.ticks.begin();
    const revived = await this.keys.takeOver(keys, checkpoints);
    // Stored by one who was held up while they were destroyed.
    await this.store(revived.map(({ key: _, ...destroyed }) => destroyed));
  }
}
