import type { DeliveryFollower, DeliveryLog, FollowDeliveryOptions, RecordedRun } from '@sluice/event-log';
import { SteadyConnection, within } from '@sluice/nats-connection';
import { forgetStream } from './forget';
import {
  API_TIMEOUT_MS,
  DRAIN_TIMEOUT_MS,
  FOLLOW_WAIT_MS,
  OPEN_WAIT_MS,
  RETRY_DELAY_MS,
  type JetStreamDeliveryLogOptions,
} from './options';
import { RunPublisher } from './run-publisher';
import { StreamKeeper } from './stream';
import { StreamFollower } from './stream-follower';

/** DeliveryLog on one NATS JetStream stream with one subject. */
export class JetStreamDeliveryLog implements DeliveryLog {
  private readonly connection: SteadyConnection;
  private readonly stream: StreamKeeper;
  private readonly publisher: RunPublisher;
  private readonly followers = new Set<StreamFollower>();

  /** Starts to connect at once, in the background. */
  constructor(private readonly options: JetStreamDeliveryLogOptions) {
    this.connection = new SteadyConnection(options, {
      retryDelayMs: RETRY_DELAY_MS,
      drainTimeoutMs: DRAIN_TIMEOUT_MS,
    });
    this.connection.listen({
      onUp: () => options.onMetric?.({ kind: 'connection', connected: true }),
      onDown: (reason) => {
        options.onMetric?.({ kind: 'connection', connected: false });
        if (!this.connection.closed) options.onFault?.(reason);
      },
      onComplaint: (reason) => options.onFault?.(reason),
    });
    this.stream = new StreamKeeper(this.connection, options);
    this.publisher = new RunPublisher(this.connection, this.stream, options);
  }

  /** Rejects at once while there is no connection: a run that waits would be late, and readers fill gaps. */
  publish(run: RecordedRun): Promise<void> {
    return this.publisher.publish(run);
  }

  /**
   * Resolves when the server has the follower's consumer; from then on the follower survives every fault by itself.
   * @throws SluiceError `delivery_log_unavailable` when that takes longer than `FOLLOW_WAIT_MS`, and after `close`;
   * nothing of the follower is left then
   */
  async follow(options: FollowDeliveryOptions): Promise<DeliveryFollower> {
    const follower = new StreamFollower(this.connection, this.stream, this.options, options);
    this.followers.add(follower);
    try {
      await within(follower.attached, FOLLOW_WAIT_MS, 'Following the delivery log');
    } catch (error) {
      await follower.stop();
      this.followers.delete(follower);
      throw error;
    }
    return {
      stop: async () => {
        await follower.stop();
        this.followers.delete(follower);
      },
    };
  }

  forget(): Promise<void> {
    return forgetStream(this.connection, this.stream, this.options);
  }

  /** Also creates the stream when it is missing. Answers within two seconds. */
  check(): Promise<void> {
    return within(
      this.stream.ensure().then(() => undefined),
      API_TIMEOUT_MS,
      'The check of the delivery log',
    );
  }

  /** Resolves as soon as the first attempt to connect has succeeded or failed, and after `waitMs` at the latest. */
  async whenAttempted(waitMs: number): Promise<void> {
    await within(this.connection.attempted, waitMs, 'The first connection').catch(() => undefined);
  }

  async close(): Promise<void> {
    await Promise.all([...this.followers].map((follower) => follower.stop()));
    this.followers.clear();
    await this.connection.close();
  }
}

/**
 * Opens the delivery log. NATS need not be there: after the first attempt this resolves anyway, the log goes on trying
 * in the background, and `check` and `publish` reject until it is connected.
 */
export async function openJetStreamDeliveryLog(options: JetStreamDeliveryLogOptions): Promise<JetStreamDeliveryLog> {
  const log = new JetStreamDeliveryLog(options);
  await log.whenAttempted(OPEN_WAIT_MS);
  return log;
}
