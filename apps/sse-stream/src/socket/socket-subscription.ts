import type { ConnectionLease } from '@sluice/access';
import { endError, type EndReason, type FeedEvent, type Subscription } from '@sluice/delivery';
import { encodeCursor, SluiceError, type Cursor, type CursorPlace } from '@sluice/event-log';
import { cursorMessage, eventsMessage } from './frames';
import type { SocketLimits } from './limits';
import type { SocketServerMessage } from './messages';
import type { Wire } from './session';
import type { SocketSignals } from './socket-signals';
import { SubscriptionPump, type PumpSink } from './subscription-pump';

export interface SocketSubscriptionOptions {
  readonly id: string;
  readonly credit: number;
  readonly subscription: Subscription;
  /** Its slot among the caller's open streams. */
  readonly lease: ConnectionLease;
  readonly wire: Wire;
  readonly limits: SocketLimits;
  readonly signals: SocketSignals;
  say(message: SocketServerMessage): void;
  /** It ended by itself, and the client has been told. */
  onEnded(reason: EndReason): void;
}

/** One subscription of a `/v1/socket` connection. It is never sent more events than it has been granted. */
export class SocketSubscription implements PumpSink {
  private readonly pump: SubscriptionPump;
  private credit: number;
  /** The newest cursor that the client has. */
  private told: Cursor;
  private isOver = false;

  constructor(private readonly options: SocketSubscriptionOptions) {
    const { credit, subscription, wire, limits, signals } = options;
    this.credit = credit;
    this.told = encodeCursor(subscription.startedAt);
    this.pump = new SubscriptionPump(subscription, wire.output, this, limits.batchesPerTurn);
    signals.subscriptions(1);
  }

  get room(): number {
    return this.credit;
  }

  start(): void {
    const { id, subscription, say } = this.options;
    const { reset } = subscription;
    say({ type: 'subscribed', id, cursor: this.told, ...(reset && { reset: { reason: reset.reason } }) });
    this.pump.start();
  }

  /** @throws SluiceError `invalid_request` when that would be more than a subscription may have */
  grant(events: number): void {
    const { maxCredit } = this.options.limits;
    if (this.credit + events > maxCredit) {
      throw new SluiceError('invalid_request', `A subscription has at most ${maxCredit} events of credit`, {
        where: 'events',
      });
    }
    this.credit += events;
    this.pump.roomGrew();
  }

  /** Tells how far it has come, if only other events went by. */
  heartbeat(): void {
    const { id, subscription, wire } = this.options;
    const cursor = encodeCursor(subscription.position);
    if (cursor === this.told) return;
    this.told = cursor;
    wire.output.writeMessage(...cursorMessage(id, cursor));
  }

  /** Ends it with a word to the client. */
  end(error: SluiceError, at: CursorPlace = this.options.subscription.position): void {
    if (this.isOver) return;
    const { id, say } = this.options;
    const { code, message, retryable } = error;
    say({ type: 'ended', id, code, message, retryable, cursor: encodeCursor(at) });
    this.close();
  }

  /** Ends it without a word. Idempotent. */
  close(): void {
    if (this.isOver) return;
    this.isOver = true;
    const { lease, signals } = this.options;
    this.pump.close();
    lease.release();
    signals.subscriptions(-1);
  }

  writeEvents(events: readonly FeedEvent[]): void {
    const { id, wire, signals } = this.options;
    this.credit -= events.length;
    this.told = events[events.length - 1]?.cursor ?? this.told;
    wire.output.writeMessage(...eventsMessage(id, events));
    signals.delivered('socket', events.length);
  }

  writeReset({ reason, at }: Parameters<PumpSink['writeReset']>[0]): void {
    this.told = encodeCursor(at);
    this.options.say({ type: 'reset', id: this.options.id, reason, cursor: this.told });
  }

  writeCaughtUp(at: CursorPlace): void {
    this.told = encodeCursor(at);
    this.options.say({ type: 'caught_up', id: this.options.id, cursor: this.told });
  }

  ended(reason: EndReason, at: CursorPlace): void {
    const error = endError(reason);
    if (error) this.end(error, at);
    else this.close();
    this.options.onEnded(reason);
  }

  failed(error: unknown): void {
    this.options.wire.failed(error);
  }
}
