import type { DeliveryItem, EndReason, FeedEvent, Subscription } from '@sluice/delivery';
import type { CursorPlace } from '@sluice/event-log';
import type { SocketOutput } from './socket-output';

/** How one subscription is written. */
export interface PumpSink {
  /** Most events that may be written now; never negative. */
  readonly room: number;
  writeEvents(events: readonly FeedEvent[]): void;
  writeReset(reset: Extract<DeliveryItem, { kind: 'reset' }>): void;
  writeCaughtUp(at: CursorPlace): void;
  /** Once, at the end that was not this side's own. */
  ended(reason: EndReason, at: CursorPlace): void;
  /** Once, when writing threw. */
  failed(error: unknown): void;
}

/**
 * Moves one subscription to its socket. It takes only while the socket does and no more than there is room for, so that
 * what waits waits in the subscription's bounded queue and nowhere else.
 */
export class SubscriptionPump {
  private closed = false;
  private turnIsDue = false;
  private readonly run = () => this.pump();

  constructor(
    private readonly subscription: Subscription,
    private readonly output: SocketOutput,
    private readonly sink: PumpSink,
    private readonly batchesPerTurn: number,
  ) {}

  start(): void {
    this.subscription.onReadable(this.run);
    // Neither a socket that never drains nor a lack of room may hold up the word that it is over.
    void this.subscription.ended.then((reason) => {
      if (reason === 'slow_subscriber' || this.sink.room === 0) this.end(reason, this.subscription.position);
    });
  }

  /** To be called when there is room again. */
  roomGrew(): void {
    this.pump();
  }

  close(): void {
    this.closed = true;
    this.subscription.close();
  }

  private pump(): void {
    try {
      for (let batches = 0; !this.closed; batches++) {
        if (this.output.isBlocked) return this.output.onceDrained(this.run);
        if (batches >= this.batchesPerTurn) return this.goOnNextTurn();
        const item = this.subscription.take(this.sink.room);
        if (!item) return;
        this.write(item);
      }
    } catch (error) {
      this.close();
      this.sink.failed(error);
    }
  }

  private goOnNextTurn(): void {
    if (this.turnIsDue) return;
    this.turnIsDue = true;
    setImmediate(() => {
      this.turnIsDue = false;
      this.pump();
    });
  }

  private write(item: DeliveryItem): void {
    switch (item.kind) {
      case 'events':
        return this.sink.writeEvents(item.events);
      case 'reset':
        return this.sink.writeReset(item);
      case 'caught_up':
        return this.sink.writeCaughtUp(item.at);
      case 'end':
        return this.end(item.reason, item.at);
    }
  }

  private end(reason: EndReason, at: CursorPlace): void {
    if (this.closed) return;
    this.closed = true;
    this.sink.ended(reason, at);
  }
}
