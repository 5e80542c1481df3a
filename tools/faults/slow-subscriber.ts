import { until } from '@sluice/event-log/conformance';
import type { Follower, FollowOptions } from '../../e2e/followers';
import type { System } from '../../e2e/system';

const FOLLOW_TIMEOUT_MS = 60_000;

/** A subscriber that can stop reading its connection, and what it has seen of the sandbox `filler`. */
export class SlowSubscriber {
  private readonly seen: string[] = [];
  private readonly follower: Follower;

  constructor(
    system: System,
    readonly door: string,
    follow: (options: FollowOptions) => Follower,
  ) {
    const onEvent = (json: string) => {
      const { id, type } = JSON.parse(json) as { readonly id: string; readonly type: string };
      if (type === 'filler') this.seen.push(id);
    };
    this.follower = follow({ target: () => system.dev(), onEvent, from: 'earliest' });
    this.follower.start();
  }

  /** Resolves when it is connected and reads no more. */
  async stopReading(): Promise<void> {
    await until(() => this.follower.isOpen, `${this.door} is open`, FOLLOW_TIMEOUT_MS);
    this.follower.pause();
  }

  /** Reads on: first what was sent before it was sent away. */
  readOn(): void {
    this.follower.resume();
  }

  /** What is wrong when it should have seen so many events, each once; undefined where nothing is. */
  async untilHas(count: number): Promise<string | undefined> {
    await until(() => this.seen.length >= count, this.door, FOLLOW_TIMEOUT_MS).catch(() => undefined);
    const different = new Set(this.seen).size;
    if (different !== count || this.seen.length !== count) {
      return `${this.door} saw ${this.seen.length} events, ${different} different ones, of ${count}`;
    }
    return this.follower.resets > 0 ? `${this.door} was reset` : undefined;
  }

  /** Who does not even read the code in time is cut off without it. */
  get wasSentAway(): boolean {
    return this.follower.connections > 1;
  }

  close(): void {
    this.follower.close();
  }
}
