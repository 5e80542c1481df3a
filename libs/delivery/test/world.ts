import {
  InProcessDeliveryLog,
  MemoryReadModel,
  SluiceError,
  type DeliveryLog,
  type EntityRef,
  type EventFilter,
  type Head,
  type ListEntitiesOptions,
  type ReadAllOptions,
  type ReadEventsOptions,
  type RecordedEventReader,
  type RecordedRun,
  type StartPlace,
} from '@sluice/event-log';
import { sandboxEnvelope, until } from '@sluice/event-log/conformance';
import type { EventEnvelope, Position } from '@sluice/event-schema';
import { EventFeed, NO_METRICS, type DeliveryItem, type DeliveryLimits, type DeliveryMetrics } from '../src';
import type { SubscribeOptions, Subscription } from '../src';

/** A memory read model that can fail, be held, be counted and be replaced by another one. */
export class TrialReader implements RecordedEventReader {
  readonly calls = { head: 0, read: 0, readAll: 0, findByIds: 0 };
  mostReadsAtOnce = 0;
  /** Turns of the event loop that each read of a page takes. */
  turnsPerRead = 0;
  private failures = 0;
  private readsNow = 0;
  private hold: Promise<void> | undefined;

  constructor(public model: MemoryReadModel) {}

  failNext(calls: number): void {
    this.failures = calls;
  }

  /** Holds reads of pages until the answer is called. */
  holdReads(): () => void {
    let release: () => void = () => undefined;
    this.hold = new Promise((resolve) => (release = resolve));
    return () => {
      this.hold = undefined;
      release();
    };
  }

  async head(): Promise<Head> {
    this.calls.head++;
    this.failIfAsked();
    return this.model.head();
  }

  async read(options: ReadEventsOptions) {
    this.calls.read++;
    this.failIfAsked();
    this.mostReadsAtOnce = Math.max(this.mostReadsAtOnce, ++this.readsNow);
    try {
      const page = await this.model.read(options);
      await this.hold;
      for (let turn = 0; turn < this.turnsPerRead; turn++) await new Promise((resolve) => setImmediate(resolve));
      return page;
    } finally {
      this.readsNow--;
    }
  }

  async readAll(options: ReadAllOptions) {
    this.calls.readAll++;
    this.failIfAsked();
    const page = await this.model.readAll(options);
    await this.hold;
    return page;
  }

  async findByIds(ids: readonly string[]) {
    this.calls.findByIds++;
    this.failIfAsked();
    return this.model.findByIds(ids);
  }

  async removedAmong(ids: readonly string[]) {
    this.failIfAsked();
    return this.model.removedAmong(ids);
  }

  async findEntity(entity: EntityRef) {
    return this.model.findEntity(entity);
  }

  async listEntities(options: ListEntitiesOptions) {
    return this.model.listEntities(options);
  }

  private failIfAsked(): void {
    if (this.failures <= 0) return;
    this.failures--;
    throw new SluiceError('read_model_unavailable', 'the reader was told to fail');
  }
}

/** Quick enough for tests, small enough that bounds are met. */
export const TRIAL_LIMITS: Partial<DeliveryLimits> = {
  tailCheckMs: 5,
  tailGraceMs: 1,
  stallCheckMs: 5,
  lookUpDelayMs: 10,
  firstRetryDelayMs: 1,
  maximumRetryDelayMs: 5,
};

export const ALL: EventFilter = { workspaceIds: [1] };

/** As `until`, looking at every turn of the event loop: for whoever waits many times, for what takes a few turns. */
export async function soon(condition: () => boolean | Promise<boolean>, what: string): Promise<void> {
  const end = performance.now() + 60_000;
  while (!(await condition())) {
    if (performance.now() > end) throw new Error(`${what} did not hold in time`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}

/** A feed with everything around it. */
export class World {
  readonly reader = new TrialReader(new MemoryReadModel());
  readonly faults: unknown[] = [];
  readonly counted: Record<string, number> = {};
  readonly feed: EventFeed;

  constructor(
    limits: Partial<DeliveryLimits> = {},
    readonly deliveryLog: DeliveryLog = new InProcessDeliveryLog(),
  ) {
    this.feed = new EventFeed({
      deliveryLog,
      reader: this.reader,
      limits: { ...TRIAL_LIMITS, ...limits },
      metrics: this.countingMetrics(),
      onFault: (error) => this.faults.push(error),
    });
  }

  async record(...events: Partial<EventEnvelope>[]): Promise<RecordedRun> {
    const envelopes = events.map((event) => sandboxEnvelope(event));
    const { epoch, recorded } = await this.reader.model.record({ envelopes, parked: [], checkpoints: new Map() });
    return { epoch, events: recorded };
  }

  async recordAndPublish(...events: Partial<EventEnvelope>[]): Promise<RecordedRun> {
    const run = await this.record(...events);
    await this.deliveryLog.publish(run);
    return run;
  }

  /** So many events, one run. */
  publishMany(count: number, event: Partial<EventEnvelope> = {}): Promise<RecordedRun> {
    return this.recordAndPublish(...Array.from({ length: count }, () => event));
  }

  async subscribe(start: StartPlace, options: Partial<SubscribeOptions> = {}): Promise<Reader> {
    return new Reader(await this.feed.subscribe({ filter: ALL, start, ...options }));
  }

  async cursorAt(position: number): Promise<StartPlace> {
    return { epoch: (await this.reader.model.head()).epoch, position: position as Position };
  }

  /** The feed has shown everything that is recorded. */
  caughtUp(): Promise<void> {
    return soon(async () => {
      const { epoch, position } = await this.reader.model.head();
      return this.feed.head.epoch === epoch && this.feed.head.position === position;
    }, 'the feed catches up');
  }

  private countingMetrics(): DeliveryMetrics {
    const count = (name: string) => (events?: unknown) => {
      this.counted[name] = (this.counted[name] ?? 0) + (typeof events === 'number' ? events : 1);
    };
    return Object.fromEntries(Object.keys(NO_METRICS).map((name) => [name, count(name)])) as unknown as DeliveryMetrics;
  }
}

/** Takes from a subscription and remembers what it got. */
export class Reader {
  readonly items: DeliveryItem[] = [];

  constructor(readonly subscription: Subscription) {}

  /** Takes what there is now. */
  drain(mostItems = Infinity): this {
    for (let taken = 0; taken < mostItems; taken++) {
      const item = this.subscription.take();
      if (!item) break;
      this.items.push(item);
    }
    return this;
  }

  /** Takes whenever something is there, as a door does. */
  follow(): this {
    this.subscription.onReadable(() => this.drain());
    return this;
  }

  get positions(): number[] {
    return this.items.flatMap((item) => (item.kind === 'events' ? item.events.map(({ position }) => position) : []));
  }

  get kinds(): string[] {
    return this.items.map(({ kind }) => kind);
  }

  get end(): Extract<DeliveryItem, { kind: 'end' }> | undefined {
    return this.items.find((item) => item.kind === 'end');
  }

  has(position: number): Promise<void> {
    return until(() => this.positions.includes(position), `position ${position} is taken`);
  }
}

export function numbers(first: number, last: number): number[] {
  return Array.from({ length: Math.max(0, last - first + 1) }, (_, n) => first + n);
}

/** The resets that a reader was told: why, and where it goes on. */
export const resetsOf = (items: readonly DeliveryItem[]) =>
  items.flatMap((item) => (item.kind === 'reset' ? [[item.reason, item.at.position as number]] : []));
