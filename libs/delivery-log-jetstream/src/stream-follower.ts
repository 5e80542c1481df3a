import type { Msg, NatsConnection } from '@nats-io/transport-node';
import type { DeliveryFollower, FollowDeliveryOptions } from '@sluice/event-log';
import { pause, retryDelayMs, type SteadyConnection, toUnavailable, unavailable } from '@sluice/nats-connection';
import { Attachment, mayMissMark, type StreamPlace } from './attachment';
import { FORGET_HEADER } from './forget';
import { RETRY_DELAY_MS, STABLE_ATTACHMENT_MS, type JetStreamDeliveryLogOptions } from './options';
import { decodeRun } from './run-codec';
import { EPOCH_HEADER } from './run-publisher';
import type { StreamKeeper } from './stream';

/**
 * Follows for ever: attaches, and when an attachment ends, attaches anew where it left off, as far as the stream still
 * has it. What the stream has lost is the reader's to notice, by the positions.
 */
export class StreamFollower implements DeliveryFollower {
  /** Resolves with the first attachment. @throws SluiceError `delivery_log_unavailable` when stopped before */
  readonly attached: Promise<void>;
  private settleAttached: { resolve(): void; reject(error: unknown): void } | undefined;
  private readonly stopping = new AbortController();
  private readonly running: Promise<void>;
  private place: StreamPlace | undefined;

  constructor(
    private readonly connection: SteadyConnection,
    private readonly keeper: StreamKeeper,
    private readonly log: JetStreamDeliveryLogOptions,
    private readonly options: FollowDeliveryOptions,
  ) {
    this.attached = new Promise<void>((resolve, reject) => (this.settleAttached = { resolve, reject }));
    // Who waited for it may have given up.
    this.attached.catch(() => undefined);
    this.running = this.run();
  }

  async stop(): Promise<void> {
    this.stopping.abort();
    await this.running;
  }

  private async run(): Promise<void> {
    const { signal } = this.stopping;
    let troubledSinceMs = performance.now();
    while (!signal.aborted && !this.connection.closed) {
      const startedAtMs = performance.now();
      let fault: unknown;
      try {
        const nats = await this.connection.whenUp(signal);
        fault = unavailable(`The follower attaches anew: ${await this.followOnce(nats)}`);
      } catch (error) {
        fault = toUnavailable(error, 'The follower could not attach');
      }
      if (signal.aborted || this.connection.closed) break;
      this.report(fault);
      if (performance.now() - startedAtMs > STABLE_ATTACHMENT_MS) troubledSinceMs = performance.now();
      await pause(retryDelayMs(troubledSinceMs, RETRY_DELAY_MS), signal);
    }
    this.settleAttached?.reject(unavailable('The follower was stopped before it could attach'));
  }

  /** Resolves with the reason why the attachment ended; rejects when it never began. */
  private async followOnce(nats: NatsConnection): Promise<string> {
    const { signal } = this.stopping;
    const attachment = new Attachment({
      nats,
      keeper: this.keeper,
      stream: this.log.stream,
      place: this.place,
      onMessage: (message) => this.deliver(message),
    });
    const stop = () => attachment.end('stopped');
    signal.addEventListener('abort', stop);
    const unlisten = this.connection.listen({ onDown: () => attachment.end('the connection was lost') });
    try {
      const endedEarly = attachment.ended.then((reason) => Promise.reject(unavailable(`Not attached: ${reason}`)));
      // Questions that are still open to the server must not hold up a stop, or the next attempt.
      const start = await Promise.race([attachment.attach(), endedEarly]);
      this.log.onMetric?.({ kind: 'follower_attached', start });
      if (mayMissMark(start)) this.forget();
      this.settleAttached?.resolve();
      const reason = await attachment.ended;
      this.place = attachment.place;
      return reason;
    } finally {
      attachment.end('given up');
      unlisten();
      signal.removeEventListener('abort', stop);
    }
  }

  private forget(): void {
    try {
      this.options.onForgotten?.();
    } catch (error) {
      this.report(error);
    }
  }

  private deliver(message: Msg): void {
    try {
      if (message.headers?.has(FORGET_HEADER)) return this.forget();
      const run = decodeRun(message.headers?.get(EPOCH_HEADER) ?? '', message.data);
      this.log.onMetric?.({ kind: 'received', events: run.events.length, bytes: message.data.length });
      this.options.onRun(run);
    } catch (error) {
      this.report(error);
    }
  }

  private report(error: unknown): void {
    this.options.onFault?.(error);
    this.log.onFault?.(error);
  }
}
