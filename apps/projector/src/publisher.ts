import type { EncodedRecordedEvent, Epoch, Position } from '@sluice/event-schema';
import {
  advance,
  BEFORE_FIRST,
  toPosition,
  WakeUp,
  type DeliveryLog,
  type PublisherGrant,
  type ReadModel,
  type RecordedRange,
  type RecordedRun,
  type RecordedWitness,
} from '@sluice/event-log';
import { MAX_OFFERED_BYTES, MAX_OFFERED_EVENTS, MAX_RUN_BYTES, MAX_RUN_EVENTS, OfferedEvents } from './offered-events';
import type { ProjectorSignals } from './signals';

export interface PublisherOptions {
  readonly readModel: Pick<
    ReadModel,
    'acquire' | 'advance' | 'release' | 'head' | 'readAll' | 'onRecorded' | 'beginEpochIfLost'
  >;
  readonly deliveryLog: DeliveryLog;
  readonly signals: ProjectorSignals;
  /** Names this process among the projectors. */
  readonly holder: string;
}

/** What is published next: a run, unless all events up to there were removed. */
interface NextRun {
  readonly run: RecordedRun | undefined;
  readonly upTo: Position;
}

/** A publisher that says nothing for this long loses its right to another process. */
const LEASE_MS = 5_000;
/** The right is renewed, and the checkpoint stored, this often: a crash publishes at most this much again. */
const RENEW_INTERVAL_MS = 1_000;
/** Most runs that are published after the stop was asked for. */
const MAX_LAST_RUNS = Math.ceil(MAX_OFFERED_EVENTS / MAX_RUN_EVENTS) + (2 * MAX_OFFERED_BYTES) / MAX_RUN_BYTES;
/** Wait after a fault: doubled each time, up to the maximum. */
const RETRY_DELAY_MS = { first: 50, maximum: 2_000 } as const;

/**
 * Publishes recorded events to the delivery log, in position order, from one process at a time. Events that this process
 * recorded come by `offer`, without a read; those of other projectors are read from the read model. A process that lost
 * its right without noticing can only publish again what was published, which followers skip.
 */
export class Publisher {
  private readonly offered = new OfferedEvents();
  private grant: PublisherGrant | undefined;
  private renewedAt = -Infinity;
  private published: Position = BEFORE_FIRST;
  private stored: Position = BEFORE_FIRST;
  /** What this process published last, under whichever grant. */
  private witness: RecordedWitness | undefined;
  private stopping = false;
  private readonly wakeUp = new WakeUp();
  /** Woken by a stop alone: events that come during a pause after a fault must not turn into attempts. */
  private readonly stopCall = new WakeUp();
  private running: Promise<void> | undefined;
  private signal: { stop(): Promise<void> } | undefined;

  constructor(private readonly options: PublisherOptions) {}

  async start(): Promise<void> {
    this.signal = await this.options.readModel.onRecorded(() => this.wakeUp.wake());
    this.running = this.run();
  }

  /** Hands over what this process has just recorded. */
  offer(epoch: Epoch, events: readonly EncodedRecordedEvent[]): void {
    if (this.grant === undefined) return;
    this.offered.add(epoch, events);
    this.wakeUp.wake();
  }

  async stop(): Promise<void> {
    this.stopping = true;
    this.wakeUp.wake();
    this.stopCall.wake();
    await this.signal?.stop();
    await this.running;
  }

  private async run(): Promise<void> {
    let retryDelayMs: number = RETRY_DELAY_MS.first;
    while (!this.stopping) {
      try {
        this.wakeUp.reset();
        // Standing by is a matter of time: with every commit of anybody it would be a write for each.
        if (!(await this.holdLease())) await this.stopCall.sleep(LEASE_MS / 2);
        else if (!(await this.publishNext())) await this.sleep(RENEW_INTERVAL_MS);
        retryDelayMs = RETRY_DELAY_MS.first;
      } catch (error) {
        this.options.signals.fault('publish', error);
        await this.stopCall.sleep(retryDelayMs);
        retryDelayMs = Math.min(retryDelayMs * 2, RETRY_DELAY_MS.maximum);
      }
    }
    await this.publishRest();
    await this.letGo();
  }

  /** What was recorded last should not wait for a successor. It may: a successor starts from the checkpoint. */
  private async publishRest(): Promise<void> {
    try {
      if (!this.grant || !(await this.holdLease())) return;
      for (let runs = 0; runs < MAX_LAST_RUNS && !this.offered.isEmpty; runs++) {
        if (!(await this.publishNext())) return;
      }
    } catch (error) {
      this.options.signals.fault('publish', error);
    }
  }

  /** Renews when it is time to; true while this process may publish. */
  private async holdLease(): Promise<boolean> {
    const now = performance.now();
    if (this.grant && now - this.renewedAt < RENEW_INTERVAL_MS) return true;
    const { readModel, holder, signals } = this.options;
    await this.lookForLoss();
    if (this.grant && this.stored < this.published && (await readModel.advance(this.grant, this.published))) {
      this.stored = this.published;
    }
    const held = this.grant;
    const grant = await readModel.acquire(holder, LEASE_MS);
    if (grant?.fencingToken !== held?.fencingToken) {
      this.offered.clear();
      this.published = this.stored = grant?.published ?? BEFORE_FIRST;
      signals.leaseChanged(grant !== undefined);
    }
    this.grant = grant;
    this.renewedAt = now;
    return grant !== undefined;
  }

  /** What was published is not moved on from where it was lost. */
  private async lookForLoss(): Promise<void> {
    const { readModel, signals } = this.options;
    if (this.witness && (await readModel.beginEpochIfLost(this.witness))) signals.foundLost('position');
  }

  private async publishNext(): Promise<boolean> {
    const next = this.takeOffered() ?? (await this.readNext());
    if (next === undefined) return false;
    if (next.run) await this.publish(next.run);
    this.published = next.upTo;
    this.options.signals.published(next.run?.events.length ?? 0);
    return true;
  }

  private async publish(run: RecordedRun): Promise<void> {
    await this.options.deliveryLog.publish(run);
    const last = run.events.at(-1)?.event;
    if (last) this.witness = { epoch: run.epoch, position: last.position, eventId: last.id };
  }

  /** The offered events that follow what was published; undefined when something is missing in between. */
  private takeOffered(): NextRun | undefined {
    const run = this.offered.runAt(advance(this.published, 1));
    return run && { run, upTo: toPosition(this.published + run.events.length) };
  }

  private async readNext(): Promise<NextRun | undefined> {
    const { readModel } = this.options;
    const head = await readModel.head();
    if (head.position <= this.published) return undefined;
    const range = await readModel.readAll({
      after: this.published,
      upTo: toPosition(Math.min(head.position, (this.offered.first ?? Infinity) - 1)),
      limit: MAX_RUN_EVENTS,
      maxBytes: MAX_RUN_BYTES,
    });
    // Asked after the events: those of another numbering must not be told as of this one.
    const { epoch } = await readModel.head();
    if (range.reached === this.published || epoch !== head.epoch) return undefined;
    const { events, upTo } = firstStretch(range);
    return { run: events.length === 0 ? undefined : { epoch, events }, upTo };
  }

  private async letGo(): Promise<void> {
    if (!this.grant) return;
    const { readModel, signals } = this.options;
    try {
      await this.lookForLoss();
      await readModel.advance(this.grant, this.published);
      await readModel.release(this.grant);
      signals.leaseChanged(false);
    } catch (error) {
      signals.fault('publish', error);
    }
  }

  private async sleep(durationMs: number): Promise<void> {
    if (!this.stopping) await this.wakeUp.sleep(durationMs);
  }
}

/**
 * The events up to the first that was removed, or, where that is the very first position, none up to the next event: the
 * positions of a run have no hole, and who follows asks the read model what is in one.
 */
function firstStretch({
  events,
  removed,
  reached,
}: RecordedRange): Pick<RecordedRun, 'events'> & Pick<NextRun, 'upTo'> {
  const [firstRemoved] = removed;
  const [firstEvent] = events;
  if (firstRemoved === undefined) return { events, upTo: reached };
  if (firstEvent === undefined) return { events: [], upTo: reached };
  if (firstRemoved.position < firstEvent.event.position) {
    return { events: [], upTo: toPosition(firstEvent.event.position - 1) };
  }
  const before = events.filter(({ event }) => event.position < firstRemoved.position);
  return { events: before, upTo: toPosition(firstRemoved.position - 1) };
}
