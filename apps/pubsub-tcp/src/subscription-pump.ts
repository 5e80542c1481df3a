import type { DeliveryItem, EndReason, FeedEvent, Subscription } from '@sluice/delivery';
import type { Output } from './output';

/** How one subscription is written. */
export interface PumpSink {
  writeEvents(events: readonly FeedEvent[]): void;
  writeReset(reset: Extract<DeliveryItem, { kind: 'reset' }>): void;
  /** Once, at the end that was not this side's own. */
  ended(reason: EndReason): void;
  /** Once, when writing threw. */
  failed(error: unknown): void;
}

/**
 * Moves one subscription to its socket. It takes only while the socket does, so that what waits waits in the
 * subscription's bounded queue and nowhere else.
 */
export class SubscriptionPump {
  private closed = false;
  private readonly run = () => this.pump();

  constructor(
    private readonly subscription: Subscription,
    private readonly output: Output,
    private readonly sink: PumpSink,
    private readonly batchesPerTurn: number,
  ) {}

  start(): void {
    this.subscription.onReadable(this.run);
    // A slow subscriber's socket may never drain: its end must not wait for a turn to take.
    void this.subscription.ended.then((reason) => {
      if (reason === 'slow_subscriber') this.end(reason);
    });
  }

  close(): void {
    this.closed = true;
    this.subscription.close();
  }

  private pump(): void {
    try {
      for (let batches = 0; !this.closed; batches++) {
        if (this.output.isBlocked) return this.output.onceDrained(this.run);
        if (batches >= this.batchesPerTurn) return void setImmediate(this.run);
        const item = this.subscription.take();
        if (!item) return;
        this.write(item);
      }
    } catch (error) {
      this.close();
      this.sink.failed(error);
    }
  }

  private write(item: DeliveryItem): void {
    switch (item.kind) {
      case 'events':
        return this.sink.writeEvents(item.events);
      case 'reset':
        return this.sink.writeReset(item);
      case 'caught_up':
        return;
      case 'end':
        return this.end(item.reason);
    }
  }

  private end(reason: EndReason): void {
    if (this.closed) return;
    this.closed = true;
    this.sink.ended(reason);
  }
}
