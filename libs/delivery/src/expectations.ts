import { SluiceError, type RecordedEventReader } from '@sluice/event-log';
import type { RecordedEvent } from '@sluice/event-schema';
import { BackOff, type Tasks } from './background';
import type { DeliveryMetrics } from './delivery-metrics';
import type { DeliveryLimits } from './limits';

/** What is known of events that are expected. */
export interface FoundEvents {
  /** The recorded ones, by id. */
  readonly events: ReadonlyMap<string, RecordedEvent>;
  /** Ids of events that were recorded and then removed: there is nothing more to wait for. */
  readonly removed: ReadonlySet<string>;
}

/**
 * Waits for events to be recorded: read your own write. Made before the events are appended, so that a quick projector
 * cannot be missed. Every expectation must be ended by `within` or by `cancel`.
 */
export interface Expectation {
  /**
   * What is known as soon as all are recorded, and at the latest after `timeoutMs`: then ids may be absent. To be called
   * once. Never rejects.
   */
  within(timeoutMs: number): Promise<FoundEvents>;
  /** Gives up; a pending `within` resolves with what was found. Idempotent. */
  cancel(): void;
}

interface Waiting {
  readonly missing: Set<string>;
  readonly events: Map<string, RecordedEvent>;
  readonly removed: Set<string>;
  /** When the missing ids are to be looked up (again). */
  lookUpAtMs: number;
  ended: boolean;
  finish: (() => void) | undefined;
}

export interface ExpectationsOptions {
  readonly reader: RecordedEventReader;
  readonly limits: DeliveryLimits;
  readonly metrics: DeliveryMetrics;
  readonly tasks: Tasks;
  onFault(error: unknown): void;
}

/**
 * All expectations of a process. The feed shows events as they are published; what it does not show in time (it was
 * recorded long ago, or the delivery log is down) is looked up for all overdue expectations at once.
 */
export class Expectations {
  private readonly byEventId = new Map<string, Set<Waiting>>();
  /** In the order of their next look-up. */
  private readonly overdue = new Set<Waiting>();
  private readonly backOff: BackOff;
  private expectedIds = 0;
  private timer: NodeJS.Timeout | undefined;
  private lookingUp = false;
  private stopped = false;

  constructor(private readonly options: ExpectationsOptions) {
    this.backOff = new BackOff(options.limits);
  }

  /** Ids that are expected now. */
  get size(): number {
    return this.expectedIds;
  }

  /** @throws SluiceError `overloaded` when too many ids are expected already. */
  expect(eventIds: readonly string[]): Expectation {
    const missing = new Set(eventIds);
    if (this.expectedIds + missing.size > this.options.limits.expectedIds) {
      throw new SluiceError('overloaded', 'Too many requests wait for their events to be recorded');
    }
    const waiting: Waiting = {
      missing,
      events: new Map(),
      removed: new Set(),
      lookUpAtMs: 0,
      ended: false,
      finish: undefined,
    };
    if (this.stopped || missing.size === 0) waiting.ended = true;
    else for (const id of missing) this.add(id, waiting);
    const cancel = () => this.end(waiting);
    const within = async (timeoutMs: number) => {
      if (!waiting.ended) {
        const timer = setTimeout(cancel, timeoutMs);
        this.lookUpLater(waiting);
        await new Promise<void>((resolve) => (waiting.finish = resolve));
        clearTimeout(timer);
      }
      const { events, removed } = waiting;
      return { events, removed };
    };
    return { within, cancel };
  }

  /** To be called for every event of the feed. */
  seen(event: RecordedEvent): void {
    this.known(event.id, ({ events }) => events.set(event.id, event));
  }

  private known(id: string, note: (waiting: Waiting) => void): void {
    const expecting = this.byEventId.get(id);
    if (!expecting) return;
    for (const waiting of expecting) {
      note(waiting);
      this.remove(id, waiting);
      waiting.missing.delete(id);
      if (waiting.missing.size === 0) this.end(waiting);
    }
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    for (const expecting of this.byEventId.values()) for (const waiting of expecting) this.end(waiting);
  }

  private add(id: string, waiting: Waiting): void {
    const expecting = this.byEventId.get(id);
    if (expecting) expecting.add(waiting);
    else this.byEventId.set(id, new Set([waiting]));
    this.expectedIds++;
  }

  private remove(id: string, waiting: Waiting): void {
    const expecting = this.byEventId.get(id);
    if (!expecting?.delete(waiting)) return;
    this.expectedIds--;
    if (expecting.size === 0) this.byEventId.delete(id);
  }

  private end(waiting: Waiting): void {
    waiting.ended = true;
    for (const id of waiting.missing) this.remove(id, waiting);
    this.overdue.delete(waiting);
    waiting.finish?.();
  }

  private lookUpLater(waiting: Waiting): void {
    waiting.lookUpAtMs = performance.now() + this.options.limits.lookUpDelayMs;
    this.overdue.delete(waiting);
    this.overdue.add(waiting);
    this.arm(this.options.limits.lookUpDelayMs);
  }

  private arm(delayMs: number): void {
    if (this.timer || this.lookingUp || this.stopped || this.overdue.size === 0) return;
    this.timer = setTimeout(() => {
      this.timer = undefined;
      this.options.tasks.run(() => this.lookUp());
    }, delayMs);
  }

  private async lookUp(): Promise<void> {
    const { reader, limits, metrics, onFault } = this.options;
    const ids = this.takeOverdueIds();
    let nextDelayMs: number = limits.lookUpDelayMs;
    if (ids.length > 0) {
      this.lookingUp = true;
      try {
        const found = await reader.findByIds(ids);
        metrics.lookedUp(ids.length);
        for (const event of found.values()) this.seen(event);
        await this.lookForRemoved(ids.filter((id) => !found.has(id)));
        this.backOff.reset();
      } catch (error) {
        onFault(error);
        nextDelayMs = this.backOff.next();
      }
      this.lookingUp = false;
    }
    this.arm(nextDelayMs);
  }

  /** What an id stands for that was used long ago may be gone. */
  private async lookForRemoved(ids: readonly string[]): Promise<void> {
    if (ids.length === 0) return;
    for (const id of await this.options.reader.removedAmong(ids)) this.known(id, ({ removed }) => removed.add(id));
  }

  /** Those that have waited longest come first and then go to the end of the line. */
  private takeOverdueIds(): string[] {
    const { lookUpIds, lookUpDelayMs } = this.options.limits;
    const nowMs = performance.now();
    const ids = new Set<string>();
    for (const waiting of [...this.overdue]) {
      if (waiting.lookUpAtMs > nowMs || ids.size >= lookUpIds) break;
      for (const id of waiting.missing) if (ids.size < lookUpIds) ids.add(id);
      waiting.lookUpAtMs = nowMs + lookUpDelayMs;
      this.overdue.delete(waiting);
      this.overdue.add(waiting);
    }
    return [...ids];
  }
}
