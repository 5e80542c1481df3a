import type { FeedEvent, Subscription } from '@sluice/delivery';
import { encodeCursor, SluiceError, WakeUp, type CursorPlace, type ResetReason } from '@sluice/event-log';
import {
  failedAttempts,
  judgeAttempt,
  toEventFilter,
  webhookBody,
  type EndpointProgress,
  type RecordedDelivery,
  type WebhookEndpoint,
  type WebhookGrant,
  type WebhookLease,
} from '@sluice/webhook-delivery';
import { attemptEntry } from './attempt-entry';
import { BackOff } from './pauses';
import { sendReplays } from './replays';
import type { RunnerPorts } from './runner-ports';

/** Events that are taken from the feed at once; those that are not sent yet are all that a runner holds. */
const TAKEN_EVENTS = 16;
/** What may wait for an endpoint that is being sent something. Beyond that it reads on from its place later. */
const QUEUE = { maxQueuedEvents: 256, maxQueuedBytes: 256 * 1024 } as const;
/** Longest sleep without a look around. */
const LONGEST_SLEEP_MS = 60_000;

/**
 * Delivers to one endpoint for as long as its grant lasts: strictly in position order, the first event that is not through
 * before any other, so that a receiver never sees what happened later before what happened earlier. While it waits for the
 * next attempt it holds no event and no subscription.
 */
export class EndpointRunner {
  readonly grant: WebhookGrant;
  readonly endpoint: WebhookEndpoint;
  /** Settles when nothing more is sent. Never rejects. */
  readonly done: Promise<void>;
  private progress: EndpointProgress;
  private hasReplays: boolean;
  /** Set while all that was taken from it is through: its position moves on with events that do not match. */
  private idle: Subscription | undefined;
  /** The endpoint was disabled by what it answered. */
  private isDisabled = false;
  private isDraining = false;
  private readonly ending = new AbortController();
  private readonly wakeUp = new WakeUp();
  private deadline: NodeJS.Timeout | undefined;

  constructor(
    lease: WebhookLease,
    private readonly ports: RunnerPorts,
    leasedUntilMs: number,
  ) {
    this.grant = lease.grant;
    this.endpoint = lease.endpoint;
    this.progress = lease.progress;
    this.hasReplays = lease.hasReplays;
    this.extend(leasedUntilMs);
    this.ending.signal.addEventListener('abort', () => this.wakeUp.wake());
    this.done = this.run().finally(() => {
      clearTimeout(this.deadline);
      this.ending.abort();
    });
  }

  /** Everything that matches up to here is through. */
  get place(): CursorPlace {
    if (this.idle) this.moveTo(this.idle.position);
    return this.progress.place;
  }

  get isBlocked(): boolean {
    return this.progress.head !== undefined;
  }

  /** The grant holds until then, by the clock of `performance`. Beyond that somebody else may deliver. */
  extend(leasedUntilMs: number): void {
    clearTimeout(this.deadline);
    if (this.ending.signal.aborted) return;
    this.deadline = setTimeout(() => this.ending.abort(), Math.max(0, leasedUntilMs - performance.now()));
  }

  /** Dead letters wait to be sent again. */
  noticeReplays(): void {
    this.hasReplays = true;
    this.wakeUp.wake();
  }

  /** Ends after what is being sent now. */
  drain(): void {
    this.isDraining = true;
    this.wakeUp.wake();
  }

  /** Breaks off what is being sent; it is sent again by whoever is next. */
  async stop(): Promise<void> {
    this.ending.abort();
    await this.done;
  }

  private get isEnding(): boolean {
    return this.isDraining || this.isDisabled || this.ending.signal.aborted;
  }

  private async run(): Promise<void> {
    const backOff = new BackOff();
    while (!this.isEnding) {
      try {
        await this.work();
        backOff.succeeded();
      } catch (error) {
        if (this.isEnding) return;
        this.ports.signals.fault('endpoint', error);
        await backOff.wait(this.ending.signal);
      }
    }
  }

  private async work(): Promise<void> {
    this.wakeUp.reset();
    if (this.hasReplays) await this.replay();
    const waitMs = (this.progress.head?.nextAttemptAt ?? 0) - this.ports.clock.now();
    if (this.isEnding) return;
    if (waitMs > 0) await this.wakeUp.sleep(Math.min(waitMs, LONGEST_SLEEP_MS));
    else await this.follow();
  }

  private async replay(): Promise<void> {
    const { endpoint, grant, ports } = this;
    const record = (delivery: RecordedDelivery) => this.record(delivery);
    this.hasReplays = await sendReplays({ endpoint, grant, ports, record, signal: this.ending.signal });
  }

  /** Until an event is not through, or something else is to be done. */
  private async follow(): Promise<void> {
    const { workspaceId, filter } = this.endpoint;
    const subscription = await this.ports.feed.subscribe({
      filter: toEventFilter(workspaceId, filter),
      start: this.place,
      caller: `webhooks/${workspaceId}`,
      ...QUEUE,
      signal: this.ending.signal,
    });
    try {
      subscription.onReadable(() => this.wakeUp.wake());
      if (subscription.reset) await this.reset(subscription.reset.reason, subscription.startedAt);
      while (!this.isEnding && (await this.step(subscription)));
    } finally {
      this.idle = undefined;
      subscription.close();
    }
  }

  /** Whether to go on with this subscription. */
  private async step(subscription: Subscription): Promise<boolean> {
    this.wakeUp.reset();
    const item = subscription.take(TAKEN_EVENTS);
    switch (item?.kind) {
      case undefined:
      case 'caught_up':
        break;
      case 'events':
        for (const event of item.events) if (this.isEnding || !(await this.deliver(event))) return false;
        break;
      case 'reset':
        await this.reset(item.reason, item.at);
        break;
      case 'end':
        if (item.reason === 'failed') throw new SluiceError('read_model_unavailable', 'Past events cannot be read now');
        if (item.reason === 'shutting_down') this.drain();
        return false;
    }
    this.moveTo(subscription.position);
    if (this.hasReplays) return false;
    if (item !== undefined) return true;
    this.idle = subscription;
    await this.wakeUp.sleep(LONGEST_SLEEP_MS);
    this.idle = undefined;
    return true;
  }

  /** What did not match is passed as well. */
  private moveTo(place: CursorPlace): void {
    const { epoch, position } = this.progress.place;
    if (place.epoch === epoch && place.position > position) this.progress = { ...this.progress, place };
  }

  /** Whether the next event may be sent. */
  private async deliver({ event, json, epoch, position }: FeedEvent): Promise<boolean> {
    const { ports, endpoint } = this;
    const { clock, signals, policy } = ports;
    const failedBefore = failedAttempts(this.progress, position);
    const body = webhookBody({ eventId: event.id, type: event.type, occurredAt: event.occurredAt, json });
    const sentAtMs = clock.now();
    const message = { endpoint, id: event.id, body, isRetry: this.progress.failingSince !== undefined };
    const result = await ports.sender.send(message, this.ending.signal);
    const attempted = { place: { epoch, position }, failedBefore };
    const now = { nowMs: clock.now(), random: () => clock.random() };
    const verdict = judgeAttempt(this.progress, attempted, result, policy, now);
    const entry = attemptEntry('event', event, result, verdict, { at: sentAtMs, attempt: failedBefore + 1 });
    await this.record({
      entry,
      progress: verdict.progress,
      ...(verdict.outcome === 'disabled' && { disabled: { reason: verdict.reason, at: now.nowMs } }),
      ...(verdict.outcome === 'dead' && {
        deadLetter: {
          eventId: event.id,
          eventType: event.type,
          position,
          attempts: failedBefore + 1,
          ...(entry.status !== undefined && { status: entry.status }),
          ...(entry.error !== undefined && { error: entry.error }),
        },
      }),
    });
    signals.attempted('event', verdict.outcome, result.durationMs);
    if (verdict.outcome === 'disabled') {
      this.isDisabled = true;
      signals.disabled(endpoint, verdict.reason);
    }
    return verdict.outcome === 'delivered' || verdict.outcome === 'dead';
  }

  /** Events were not told that should have been: said in the log of deliveries, where the owner looks. */
  private async reset(reason: ResetReason, at: CursorPlace): Promise<void> {
    const reset = { reason, requested: encodeCursor(this.place), at: encodeCursor(at) };
    const entry = { kind: 'reset', outcome: 'reset', at: this.ports.clock.now(), reset } as const;
    await this.record({ entry, progress: { place: at } });
    this.ports.signals.reset(this.endpoint, reason);
  }

  /** Until it is kept or the grant is lost: what was sent must not be sent again only because the store is away. */
  private async record(delivery: RecordedDelivery): Promise<void> {
    const backOff = new BackOff();
    for (;;) {
      try {
        await this.ports.store.record(this.grant, delivery);
        if (delivery.progress) this.progress = delivery.progress;
        return;
      } catch (error) {
        this.ports.signals.fault('record', error);
        if (error instanceof SluiceError && error.code === 'conflict') this.ending.abort();
        await backOff.wait(this.ending.signal);
        this.ending.signal.throwIfAborted();
      }
    }
  }
}
