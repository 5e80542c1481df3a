import type { ChainGrant, ChainStore, OutboxBatch } from '@sluice/agent-registry';
import { WakeUp, type DurableLog } from '@sluice/event-log';
import type { EncodedEnvelope } from '@sluice/event-schema';
import { BackOff, settledOrAborted } from '../pause';
import type { ChainSignals } from '../signals';

export interface OutboxOptions {
  readonly store: Pick<ChainStore, 'outbox' | 'settle'>;
  readonly grant: ChainGrant;
  readonly log: Pick<DurableLog, 'append'>;
  readonly signals: Pick<ChainSignals, 'appended' | 'appendFailed' | 'outboxChanged'>;
}

/** Most events, and characters of them, that wait in memory; beyond that the chain waits. */
const MAX_WAITING_EVENTS = 8_000;
const MAX_WAITING_CHARACTERS = 32 * 1024 * 1024;
/** Most events, and characters of them, in one append; one event may be more. */
const MAX_APPEND_EVENTS = 1_000;
const MAX_APPEND_CHARACTERS = 4 * 1024 * 1024;
/** Most batches of a former time that are read at once. */
const MAX_LEFTOVER_BATCHES = 20;
const RETRY_DELAY = { firstMs: 50, maximumMs: 5_000 };
/** How long an idle drain sleeps; it is woken before. */
const IDLE_MS = 60_000;

/**
 * Brings committed events to the durable log, in the order of their commits, one append at a time. What a former holder,
 * or a former attempt, left behind goes first. An append that failed is repeated as it was: the ids are the same, so
 * nothing is doubled.
 */
export class Outbox {
  private readonly batches: OutboxBatch[] = [];
  private readonly wakeUp = new WakeUp();
  private readonly roomWaiters: (() => void)[] = [];
  private readonly backOff = new BackOff(RETRY_DELAY);
  private waitingEvents = 0;
  private waitingCharacters = 0;
  private lastAppended = -Infinity;
  private closing = false;

  constructor(private readonly options: OutboxOptions) {}

  /** Events that were committed by this process and are not appended yet. */
  get size(): number {
    return this.waitingEvents;
  }

  /** Hands over what was committed, in the order of the commits. */
  offer(batchId: number, events: readonly EncodedEnvelope[]): void {
    this.batches.push({ batchId, events });
    this.count(events, 1);
    this.wakeUp.wake();
  }

  /** Resolves when one more commit may be made, or with the signal. */
  async untilRoom(signal: AbortSignal): Promise<void> {
    while (!signal.aborted && this.isFull()) {
      await settledOrAborted(new Promise<void>((resolve) => this.roomWaiters.push(resolve)), signal);
    }
  }

  /** Ends `run` once nothing waits any more. */
  close(): void {
    this.closing = true;
    this.wakeUp.wake();
  }

  /** Appends until `close` or the signal, which breaks off what goes on. @throws SluiceError of the store */
  async run(signal: AbortSignal): Promise<void> {
    const wake = () => this.wakeUp.wake();
    signal.addEventListener('abort', wake);
    try {
      await this.runLeftovers(signal);
      while (!signal.aborted) {
        this.wakeUp.reset();
        const taken = this.take();
        if (taken.length > 0) await this.deliverOwn(taken, signal);
        else if (this.closing) return;
        else if (!signal.aborted) await this.wakeUp.sleep(IDLE_MS);
      }
    } finally {
      signal.removeEventListener('abort', wake);
    }
  }

  /** Until the store has none: commits that come meanwhile are among them, and skipped when their turn comes. */
  private async runLeftovers(signal: AbortSignal): Promise<void> {
    const { store, grant } = this.options;
    while (!signal.aborted) {
      const batches = await store.outbox(grant, MAX_LEFTOVER_BATCHES);
      if (batches.length === 0) return;
      await this.deliver(batches, signal);
    }
  }

  /** What was offered counts as waiting until it is delivered. */
  private async deliverOwn(batches: readonly OutboxBatch[], signal: AbortSignal): Promise<void> {
    await this.deliver(batches, signal);
    if (signal.aborted) return;
    for (const batch of batches) this.count(batch.events, -1);
    for (const resume of this.roomWaiters.splice(0)) resume();
  }

  private async deliver(batches: readonly OutboxBatch[], signal: AbortSignal): Promise<void> {
    const { store, grant } = this.options;
    const events = batches.filter(({ batchId }) => batchId > this.lastAppended).flatMap((batch) => [...batch.events]);
    for (const part of partsOf(events)) if (!(await this.append(part, signal))) return;
    const last = batches.at(-1)?.batchId ?? this.lastAppended;
    if (last <= this.lastAppended && events.length === 0) return;
    this.lastAppended = Math.max(this.lastAppended, last);
    await store.settle(grant, last);
  }

  /** Tries until it succeeds; false when the signal came before. */
  private async append(events: readonly EncodedEnvelope[], signal: AbortSignal): Promise<boolean> {
    const { log, signals } = this.options;
    while (!signal.aborted) {
      const startedAtMs = performance.now();
      const appending = log.append(events);
      // What goes on behind the signal may fail unheard.
      await settledOrAborted(appending, signal);
      if (signal.aborted) break;
      try {
        await appending;
        signals.appended(events.length, performance.now() - startedAtMs);
        this.backOff.succeeded();
        return true;
      } catch (error) {
        signals.appendFailed(error);
        await this.backOff.wait(signal);
      }
    }
    return false;
  }

  /** The next batches, as many as make one append, out of the queue. */
  private take(): OutboxBatch[] {
    let events = 0;
    let count = 0;
    for (const batch of this.batches) {
      if (count > 0 && events + batch.events.length > MAX_APPEND_EVENTS) break;
      events += batch.events.length;
      count++;
    }
    return this.batches.splice(0, count);
  }

  private isFull(): boolean {
    return this.waitingEvents >= MAX_WAITING_EVENTS || this.waitingCharacters >= MAX_WAITING_CHARACTERS;
  }

  private count(events: readonly EncodedEnvelope[], sign: 1 | -1): void {
    this.waitingEvents += sign * events.length;
    for (const { json } of events) this.waitingCharacters += sign * json.length;
    this.options.signals.outboxChanged(this.waitingEvents);
  }
}

function* partsOf(events: readonly EncodedEnvelope[]): Generator<readonly EncodedEnvelope[]> {
  let from = 0;
  let characters = 0;
  for (let index = 0; index < events.length; index++) {
    const { length } = events[index]?.json ?? '';
    if (index > from && (index - from >= MAX_APPEND_EVENTS || characters + length > MAX_APPEND_CHARACTERS)) {
      yield events.slice(from, index);
      from = index;
      characters = 0;
    }
    characters += length;
  }
  if (from < events.length) yield events.slice(from);
}
