import type { DeliveryFollower, DeliveryLog, FollowDeliveryOptions, RecordedRun } from '@sluice/event-log';

/** How likely each misdeed is, from 0 to 1, at each publication. */
export interface Hostility {
  readonly drop: number;
  readonly duplicate: number;
  readonly hold: number;
  readonly split: number;
}

/** A delivery log that loses, repeats, holds back and reorders runs, the same way for the same seed. */
export class HostileDeliveryLog implements DeliveryLog {
  private readonly followers = new Set<FollowDeliveryOptions>();
  private readonly held: RecordedRun[] = [];
  private readonly random: () => number;
  /** While false `follow` and `publish` fail. */
  reachable = true;

  constructor(
    seed: number,
    private readonly hostility: Hostility,
  ) {
    this.random = randomFrom(seed);
  }

  get followerCount(): number {
    return this.followers.size;
  }

  async publish(run: RecordedRun): Promise<void> {
    await this.check();
    const { drop, duplicate, hold, split } = this.hostility;
    for (const part of this.random() < split ? halves(run) : [run]) {
      if (this.random() < drop) continue;
      if (this.random() < hold) this.held.push(part);
      else this.deliver(part);
      if (this.random() < duplicate) this.held.push(part);
    }
  }

  /** What is held back is of before, and is not delivered any more. */
  async forget(): Promise<void> {
    await this.check();
    this.held.length = 0;
    for (const follower of this.followers) follower.onForgotten?.();
  }

  /** Lets go of some of what was held back, in any order. */
  release(): void {
    const count = Math.ceil(this.random() * this.held.length);
    for (let n = 0; n < count; n++) {
      const [run] = this.held.splice(Math.floor(this.random() * this.held.length), 1);
      if (run) this.deliver(run);
    }
  }

  deliver(run: RecordedRun): void {
    for (const follower of this.followers) follower.onRun(run);
  }

  async follow(options: FollowDeliveryOptions): Promise<DeliveryFollower> {
    await this.check();
    this.followers.add(options);
    return { stop: async () => void this.followers.delete(options) };
  }

  async check(): Promise<void> {
    if (!this.reachable) throw new Error('the delivery log is away');
  }

  async close(): Promise<void> {
    this.followers.clear();
  }
}

/** Numbers in [0, 1) from a seed: a linear congruential generator is random enough for misdeeds. */
export function randomFrom(seed: number): () => number {
  let state = (seed ^ 0x5deece66) >>> 0;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 0x1_0000_0000;
  };
}

function halves({ epoch, events }: RecordedRun): RecordedRun[] {
  const middle = Math.ceil(events.length / 2);
  return [events.slice(0, middle), events.slice(middle)]
    .filter((part) => part.length > 0)
    .map((part) => ({ epoch, events: part }));
}
