import type { CredentialWatch } from '@sluice/access';
import { endError, type Subscription } from '@sluice/delivery';
import type { SluiceError } from '@sluice/event-log';
import { encodeComment, encodeRetry } from '@sluice/sse-protocol';
import type { ServerResponse } from 'node:http';
import type { SseStreamSignals, StreamEnd } from '../signals';
import { cursorFrame, endFrame, eventFrames, heartbeatFrame, resetFrame } from './frames';

export interface EventStreamOptions {
  readonly heartbeatMs: number;
  readonly retryMs: number;
  /** A subscriber that reads nothing for so long, while something waits for it, is slow. */
  readonly stallTimeoutMs: number;
  /** How long a subscriber may take to read what is left, once its stream has ended. */
  readonly endGraceMs: number;
}

/** One subscription on its way into one response whose head has been written. */
export class EventStream {
  private hasEnded = false;
  /** Why the caller may not stay, once it may not. */
  private dismissal: SluiceError | undefined;
  private stopWaiting: () => void = () => undefined;

  constructor(
    private readonly subscription: Subscription,
    private readonly response: ServerResponse,
    private readonly signals: SseStreamSignals,
    private readonly options: EventStreamOptions,
  ) {}

  /** Resolves when the response is over. `watchCaller` calls back when the caller's credential is no longer accepted. */
  async run(watchCaller: (onEnded: (reason: SluiceError) => void) => CredentialWatch): Promise<void> {
    const { subscription, response, signals, options } = this;
    response.on('close', () => subscription.close());
    response.on('error', () => subscription.close());
    // The connection may have gone while the subscription was made.
    if (response.destroyed) subscription.close();
    void subscription.ended.then(() => {
      this.hasEnded = true;
      this.stopWaiting();
    });
    const watch = watchCaller((reason) => this.dismiss(reason));
    // A subscriber that catches up takes page by page, so nothing but its socket can tell that it stands still.
    response.on('timeout', () => {
      if (!this.hasEnded) this.dismiss(endError('slow_subscriber'));
    });
    const heartbeat = setInterval(() => this.beat(), options.heartbeatMs);
    try {
      signals.ended(await this.pump());
      // Nothing comes after the last word.
      clearInterval(heartbeat);
      await this.finish();
    } catch (error) {
      signals.ended('fault');
      signals.fault(error);
      response.destroy();
    } finally {
      clearInterval(heartbeat);
      watch.cancel();
      subscription.close();
    }
  }

  private dismiss(reason: SluiceError | undefined): void {
    this.dismissal ??= reason;
    this.subscription.close();
  }

  /** Writes what the subscription gives, no faster than the subscriber reads. */
  private async pump(): Promise<StreamEnd> {
    const { subscription, response } = this;
    response.write(encodeRetry(this.options.retryMs));
    const { reset, startedAt } = subscription;
    response.write(reset ? resetFrame(reset.reason, startedAt) : cursorFrame(startedAt));
    for await (const item of subscription) {
      if (response.destroyed) break;
      if (item.kind === 'events') response.write(eventFrames(item.events));
      else if (item.kind === 'reset') response.write(resetFrame(item.reason, item.at));
      else if (item.kind === 'end') {
        const dismissal = item.reason === 'closed' ? this.dismissal : undefined;
        const error = dismissal ?? endError(item.reason);
        if (error) response.write(endFrame(error, item.at));
        return dismissal ? endOf(dismissal) : item.reason;
      }
      if (response.writableNeedDrain) await this.untilDrained();
    }
    return 'closed';
  }

  /** Or until the subscription has ended: then what is left is bounded, and nobody knows whether anything is read again. */
  private async untilDrained(): Promise<void> {
    if (this.hasEnded) return;
    const { response } = this;
    // The socket's own clock: it starts anew for as long as bytes leave, however few.
    response.setTimeout(this.options.stallTimeoutMs);
    await new Promise<void>((resolve) => {
      this.stopWaiting = resolve;
      response.once('drain', resolve);
    });
    response.setTimeout(0);
    response.off('drain', this.stopWaiting);
  }

  /** Lets the subscriber read to the end, within limits: a connection that nobody reads must not stay. */
  private async finish(): Promise<void> {
    const { response, signals, options } = this;
    if (response.destroyed) return;
    const cut = setTimeout(() => {
      signals.cutOff();
      response.destroy();
    }, options.endGraceMs);
    const closed = new Promise((resolve) => response.once('close', resolve));
    // Ended only when all has left: a server that closes takes a connection whose response was ended for an idle one.
    const left = new Promise((resolve) => response.write(encodeComment(), resolve));
    await Promise.race([left, closed]);
    response.end();
    await closed;
    clearTimeout(cut);
  }

  /** Not for a subscriber that is behind with reading anyway. */
  private beat(): void {
    const { response, subscription } = this;
    if (response.writableNeedDrain || response.writableEnded || response.destroyed) return;
    response.write(heartbeatFrame(subscription.position));
  }
}

function endOf({ code }: SluiceError): StreamEnd {
  return code === 'token_expired' || code === 'slow_subscriber' ? code : 'revoked';
}
