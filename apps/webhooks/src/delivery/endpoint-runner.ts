import type { FeedEvent, Subscription } from '@sluice/delivery';
import { SluiceError, WakeUp, type CursorPlace, type ResetReason } from '@sluice/event-log';
import {
  failedAttempts,
  faultOf,
  isNotice,
  judgeAttempt,
  newLetter,
  noticeBody,
  toEventFilter,
  webhookBody,
  type EndpointProgress,
  type HeldPlace,
  type RecordedDelivery,
  type ResetNotice,
  type SubjectEvent,
  type WebhookEndpoint,
  type WebhookGrant,
  type WebhookLease,
} from '@sluice/webhook-delivery';
import { attemptEntry } from './attempt-entry';
import { BackOff } from './pauses';
import { Replays } from './replays';
import { resetDelivery } from './reset-delivery';
import type { RunnerPorts } from './runner-ports';

/** One by one: whoever takes events is no slow subscriber, however slow its application. */
const TAKEN_EVENTS = 1;
/** An application that takes longer on average is served like those that failed last. */
const SLOW_MS = 1_000;
/** Share of the newest attempt in the average. */
const NEWEST_SHARE = 0.3;
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
  private progressVersion: number;
  private readonly replays: Replays;
  private averageMs = 0;
  /** Set while all that was taken from it is through: its position moves on with events that do not match. */
  private idle: Subscription | undefined;
  /** The subscription gave all that was recorded before; what comes now is new. */
  private isCaughtUp = false;
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
    this.progressVersion = lease.progressVersion;
    this.replays = new Replays(
      {
        endpoint: lease.endpoint,
        grant: lease.grant,
        ports,
        record: (delivery) => this.record(delivery),
        progress: () => this.progress,
        signal: this.ending.signal,
      },
      lease.hasReplays,
    );
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

  get heldPlace(): HeldPlace {
    return { grant: this.grant, place: this.place, progressVersion: this.progressVersion };
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
    this.replays.notice();
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
        this.ports.signals.fault('endpoint', error, this.endpoint);
        await backOff.wait(this.ending.signal);
      }
    }
  }

  private async work(): Promise<void> {
    this.wakeUp.reset();
    if (this.replays.areDue) this.isDisabled = await this.replays.send();
    if (this.isEnding) return;
    const { head } = this.progress;
    const waitMs = (head?.nextAttemptAt ?? 0) - this.ports.clock.now();
    if (waitMs > 0) await this.wakeUp.sleep(Math.min(waitMs, this.replays.waitMs, LONGEST_SLEEP_MS));
    else if (head !== undefined && isNotice(head.subject)) await this.tell(head.subject);
    else await this.follow();
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
      this.isCaughtUp = false;
      subscription.onReadable(() => this.wakeUp.wake());
      if (subscription.reset) return await this.reset(subscription.reset.reason, subscription.startedAt);
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
        break;
      case 'caught_up':
        this.isCaughtUp = true;
        break;
      case 'events':
        for (const event of item.events) if (this.isEnding || !(await this.deliver(event))) return false;
        break;
      case 'reset':
        await this.reset(item.reason, item.at);
        return false;
      case 'end':
        if (item.reason === 'failed') throw new SluiceError('read_model_unavailable', 'Past events cannot be read now');
        if (item.reason === 'shutting_down') this.drain();
        return false;
    }
    this.moveTo(subscription.position);
    // Replays leave room for an event that is being read yet.
    const isTurnOver = item !== undefined || this.isCaughtUp;
    if (isTurnOver && this.replays.areDue) return false;
    if (item !== undefined) return true;
    this.idle = subscription;
    await this.wakeUp.sleep(this.isCaughtUp ? Math.min(this.replays.waitMs, LONGEST_SLEEP_MS) : LONGEST_SLEEP_MS);
    this.idle = undefined;
    return true;
  }

  /** What did not match is passed as well. */
  private moveTo(place: CursorPlace): void {
    const { epoch, position } = this.progress.place;
    if (place.epoch === epoch && place.position > position) this.progress = { ...this.progress, place };
  }

  /** Whether the next event may be sent. */
  private deliver({ event, json, place }: FeedEvent): Promise<boolean> {
    const { id, type, workspaceId, family, entityId, occurredAt } = event;
    const subject = { id, type, workspaceId, family, entityId };
    return this.attempt(subject, place, webhookBody({ eventId: id, type, occurredAt, json }));
  }

  private tell(notice: ResetNotice): Promise<boolean> {
    return this.attempt(notice, this.progress.place, noticeBody(notice));
  }

  /** Whether it is through. */
  private async attempt(subject: SubjectEvent | ResetNotice, place: CursorPlace, body: string): Promise<boolean> {
    const { ports, endpoint } = this;
    const { clock, signals, policy } = ports;
    const { position } = place;
    const failedBefore = failedAttempts(this.progress, position);
    const sentAtMs = clock.now();
    const isRetry = this.progress.failingSince !== undefined || this.averageMs > SLOW_MS;
    const result = await ports.sender.send({ endpoint, id: subject.id, body, isRetry }, this.ending.signal);
    this.averageMs += NEWEST_SHARE * (result.durationMs - this.averageMs);
    const now = { nowMs: clock.now(), random: () => clock.random() };
    const verdict = judgeAttempt(this.progress, { place, subject, failedBefore }, result, policy, now);
    const attempts = failedBefore + 1;
    const told = { id: subject.id, type: subject.type, position };
    const isKept = await this.record({
      entry: attemptEntry('event', told, result, verdict, { at: sentAtMs, attempt: attempts }),
      progress: verdict.progress,
      ...(verdict.outcome === 'disabled' && { disabled: { reason: verdict.reason, at: now.nowMs } }),
      ...(verdict.outcome === 'dead' && { deadLetter: newLetter({ subject, position, attempts, ...faultOf(result) }) }),
    });
    signals.attempted('event', verdict.outcome, result.durationMs);
    if (!isKept) return false;
    if (verdict.outcome === 'disabled') {
      this.isDisabled = true;
      signals.disabled(endpoint, verdict.reason);
    }
    return verdict.outcome === 'delivered' || verdict.outcome === 'dead';
  }

  /** Events are not told that should have been: said in the log of deliveries, and to the application before anything else. */
  private async reset(reason: ResetReason, place: CursorPlace): Promise<void> {
    await this.record(resetDelivery({ ...this.progress, place: this.place }, reason, place, this.ports.clock.now()));
    this.ports.signals.reset(this.endpoint, reason);
  }

  /**
   * Until it is kept or the grant is lost: what was sent must not be sent again only because the store is away. False where
   * something else is known of the endpoint by now: that is gone by then.
   */
  private async record(delivery: RecordedDelivery): Promise<boolean> {
    const backOff = new BackOff();
    const { progressVersion } = this;
    for (;;) {
      try {
        const isKept = await this.ports.store.record(this.grant, { ...delivery, progressVersion });
        if (isKept) {
          if (delivery.progress) this.progress = delivery.progress;
          this.progressVersion = progressVersion + 1;
        } else {
          await this.reload();
        }
        return isKept;
      } catch (error) {
        this.ports.signals.fault('record', error, this.endpoint);
        if (error instanceof SluiceError && error.code === 'conflict') this.ending.abort();
        await backOff.wait(this.ending.signal);
        this.ending.signal.throwIfAborted();
      }
    }
  }

  /** It is kept already, or its owner changed it; after that another runner goes on by what it is now. */
  private async reload(): Promise<void> {
    const { endpoint, progress, progressVersion } = await this.ports.store.load(this.grant);
    this.progress = progress;
    this.progressVersion = progressVersion;
    const { disabled } = endpoint;
    // Only its holder disables it for what it answered, and did not learn that this is kept.
    if (disabled && disabled.reason !== 'by_owner') this.ports.signals.disabled(endpoint, disabled.reason);
    if (disabled || endpoint.version !== this.endpoint.version) this.drain();
  }
}
