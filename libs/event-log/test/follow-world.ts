import { assertNotLost, targetsOf } from '../src/checkpoint-lost';
import { FollowLoop, type FollowedLog } from '../src/follow-loop';
import type { FollowLogOptions, Lane, LogBatch, LogRecord } from '../src/ports/durable-log';

export const LANES = [0, 1] as Lane[];
export const MINUTE_MS = 60_000;

/** Time is what the tests of the block that calls it say. */
export function ownTime(): void {
  beforeEach(() => {
    jest.useFakeTimers();
  });
  afterEach(() => {
    jest.useRealTimers();
  });
}

/** Lets everything that is already decided happen. */
export const settle = () => jest.advanceTimersByTimeAsync(0);

/** One record of a lane. */
export const record = (lane: number, index: number): LogRecord => ({
  lane: lane as Lane,
  index,
  value: new Uint8Array(),
  appendedAt: 0,
});

/** Lanes in memory, and a loop over them whose every step is written down. */
export class FollowWorld {
  readonly lanes: LogRecord[][] = LANES.map(() => []);
  readonly handled: LogBatch[] = [];
  readonly faults: unknown[] = [];
  readonly attemptedAt: number[] = [];
  readonly loads: (readonly Lane[])[] = [];
  readonly stored = new Map<Lane, number>();
  readonly loop: FollowLoop;
  /** Throws to make the next step fail. */
  onHandle: (batch: LogBatch) => void | Promise<void> = () => undefined;
  onRead: () => void = () => undefined;

  constructor(overrides: Partial<FollowLogOptions> = {}, log: Partial<FollowedLog> = {}) {
    const read: FollowedLog['read'] = async (checkpoints) => {
      this.onRead();
      return this.lanes.flatMap((records, lane) => records.slice(checkpoints.get(lane as Lane) ?? 0));
    };
    const options: FollowLogOptions = {
      group: 'test',
      maxBatchRecords: 3,
      loadCheckpoints: async (lanes) => {
        this.loads.push(lanes);
        return new Map(this.stored);
      },
      handle: async (batch) => {
        this.attemptedAt.push(Date.now());
        await this.onHandle(batch);
        assertNotLost(batch.checkpoints, this.stored);
        this.handled.push(batch);
        for (const [lane, to] of targetsOf(batch.checkpoints)) this.stored.set(lane, to);
      },
      onFault: (error) => this.faults.push(error),
      ...overrides,
    };
    this.loop = new FollowLoop(options, { read, ends: async () => new Map(), ...log }, LANES);
  }

  append(lane: number, count: number): void {
    const records = this.lanes[lane] ?? [];
    for (let n = 0; n < count; n++) records.push(record(lane, records.length));
    this.loop.wake();
  }

  /** `lane:index` of everything that was handled, in order. */
  get seen(): string[] {
    return this.handled.flatMap(({ records }) => records.map(({ lane, index }) => `${lane}:${index}`));
  }

  /** The times between attempts to handle. */
  get gapsMs(): number[] {
    return this.attemptedAt.slice(1).map((at, index) => at - (this.attemptedAt[index] ?? 0));
  }
}
