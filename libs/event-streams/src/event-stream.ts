import type { ServerResponse } from 'node:http';
import type { CredentialWatch } from '@sluice/access';
import { endError, type DeliveryItem, type FeedEvent, type Subscription } from '@sluice/delivery';
import type { SluiceError } from '@sluice/event-log';
import type { OpenStream } from './open-streams';
import { PacedResponse } from './paced-response';
import type { SseDialect } from './sse-dialect';
import { streamEnd } from './stream-ends';
import type { StreamEnd, StreamSignals } from './stream-signals';

export interface EventStreamOptions {
  readonly dialect: SseDialect;
  /** What clients are told to wait before they connect again. */
  readonly retryMs: number;
  readonly heartbeatMs: number;
  /** After that the stream ends without a word; absent: it lasts. */
  readonly maxDurationMs?: number | undefined;
  /** A subscriber that reads nothing for so long, while something waits for it, is slow. */
  readonly stallTimeoutMs: number;
  /** How long a subscriber may take to read what is left, once its stream has ended. */
  readonly endGraceMs: number;
  /** Why the client's cursor was not even tried. */
  readonly resetReason?: string | undefined;
  /** Whether the stream ends with this event, without a further word; absent: no event ends it. */
  readonly isLast?: ((event: FeedEvent) => boolean) | undefined;
  /** What is written beside the events; it is told how to when the stream begins, and gives how to stop. */
  readonly beside?: ((write: WriteBeside) => () => void) | undefined;
}

/** Writes a frame at once, or not at all: false for a subscriber that leaves too much unread. */
export type WriteBeside = (frame: Buffer) => boolean;

/** A subscriber that leaves more unread, in bytes, is written nothing beside its events. */
export const MAX_UNREAD_BESIDE_BYTES = 256 * 1024;

/** Why this side closed the subscription. */
type Dismissal = SluiceError | 'max_duration';

/** One subscription on its way into one response whose head has been written. */
export class EventStream implements OpenStream {
  readonly over: Promise<void>;
  private readonly response: PacedResponse;
  private markOver: () => void = () => undefined;
  private wake: () => void = () => undefined;
  private hasEnded = false;
  private isShuttingDown = false;
  /** Events wait until all that was written is read. */
  private awaitsReader = false;
  /** The first reason counts. */
  private dismissal: Dismissal | undefined;

  constructor(
    private readonly subscription: Subscription,
    response: ServerResponse,
    private readonly signals: StreamSignals,
    private readonly options: EventStreamOptions,
  ) {
    this.over = new Promise((resolve) => (this.markOver = resolve));
    this.response = new PacedResponse(response, {
      stallTimeoutMs: options.stallTimeoutMs,
      endGraceMs: options.endGraceMs,
      onStalled: () => this.dismiss(endError('slow_subscriber')),
      onGone: () => subscription.close(),
      onCutOff: () => signals.cutOff(),
    });
    void subscription.ended.then(() => {
      this.hasEnded = true;
      this.response.waitNoMore();
    });
  }

  /** Ends it at once, with a word that says why and where to resume. */
  dismiss(reason: Dismissal | undefined): void {
    if (this.hasEnded) return;
    this.dismissal ??= reason;
    this.subscription.close();
  }

  /** What waits is written before, to a subscriber that reads. */
  shutDown(): void {
    if (this.response.isBehind) return this.dismiss(endError('shutting_down'));
    this.dismissal ??= endError('shutting_down');
    this.isShuttingDown = true;
    this.wake();
  }

  /** Resolves when the response is over. `watchCaller` calls back when the caller's credential is no longer accepted. */
  async run(watchCaller: (onEnded: (reason: SluiceError) => void) => CredentialWatch): Promise<void> {
    const { subscription, response, signals, options } = this;
    const { heartbeatMs, maxDurationMs } = options;
    // The connection may have gone while the subscription was made.
    if (response.isGone) subscription.close();
    const heartbeat = setInterval(() => this.beat(), heartbeatMs);
    const expiry =
      maxDurationMs === undefined ? undefined : setTimeout(() => this.dismiss('max_duration'), maxDurationMs);
    let watch: CredentialWatch | undefined;
    try {
      watch = watchCaller((reason) => this.dismiss(reason));
      signals.ended(await this.pump());
      // Nothing comes after the last word.
      clearInterval(heartbeat);
      await response.finish();
    } catch (error) {
      signals.ended('fault');
      signals.fault(error);
      response.destroy();
    } finally {
      clearInterval(heartbeat);
      clearTimeout(expiry);
      watch?.cancel();
      subscription.close();
      this.markOver();
    }
  }

  /** Writes what the subscription gives, no faster than the subscriber reads. */
  private async pump(): Promise<StreamEnd> {
    const { subscription, response } = this;
    const { dialect, retryMs } = this.options;
    const resetReason = subscription.reset?.reason ?? this.options.resetReason;
    response.write(dialect.opening({ retryMs, at: subscription.startedAt, resetReason }));
    const stopBeside = this.options.beside?.((frame) => this.writeBeside(frame));
    try {
      return await this.writeAll();
    } finally {
      stopBeside?.();
    }
  }

  private async writeAll(): Promise<StreamEnd> {
    const { subscription, response } = this;
    const { dialect } = this.options;
    for (;;) {
      const item = subscription.take();
      if (response.isGone) return 'closed';
      if (!item) await this.untilReadable();
      else if (item.kind === 'events') {
        if (this.writeEvents(item.events)) return 'closed';
      } else if (item.kind === 'reset') response.write(dialect.reset(item.reason, item.at));
      else if (item.kind === 'end') return this.sayWhy(item);
      if (response.isBehind) await this.untilRead();
    }
  }

  private writeBeside(frame: Buffer): boolean {
    const { hasEnded, awaitsReader, response } = this;
    // What is written beside would keep the reader from ever having read all, and the events behind it waiting.
    if (hasEnded || awaitsReader || response.unreadBytes + frame.byteLength > MAX_UNREAD_BESIDE_BYTES) return false;
    response.write(frame);
    return true;
  }

  /** Gives whether the last event is among them. */
  private writeEvents(events: readonly FeedEvent[]): boolean {
    const { dialect, isLast } = this.options;
    const last = isLast === undefined ? -1 : events.findIndex(isLast);
    this.response.write(dialect.events(last === -1 ? events : events.slice(0, last + 1)));
    return last !== -1;
  }

  private sayWhy({ reason, at }: Extract<DeliveryItem, { kind: 'end' }>): StreamEnd {
    const dismissal = reason === 'closed' ? this.dismissal : undefined;
    if (dismissal === 'max_duration') return dismissal;
    const error = dismissal ?? endError(reason);
    if (!error) return reason;
    const end = streamEnd(error);
    this.response.write(this.options.dialect.end(error, at));
    return end;
  }

  private async untilReadable(): Promise<void> {
    if (this.isShuttingDown) return this.subscription.close();
    await new Promise<void>((resolve) => {
      this.wake = resolve;
      this.subscription.onReadable(resolve);
    });
  }

  /** Not once the subscription has ended: then what is left is bounded, and nobody knows whether anything is read again. */
  private async untilRead(): Promise<void> {
    if (this.isShuttingDown) this.subscription.close();
    else if (!this.hasEnded) {
      this.awaitsReader = true;
      await this.response.untilRead();
      this.awaitsReader = false;
    }
  }

  /** Not for a subscriber that is behind with reading anyway. */
  private beat(): void {
    if (this.hasEnded || this.response.isBehind) return;
    this.response.write(this.options.dialect.heartbeat(this.subscription.position));
  }
}
