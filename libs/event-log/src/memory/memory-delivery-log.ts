import { SluiceError } from '../errors';
import type { DeliveryFollower, DeliveryLog, FollowDeliveryOptions, RecordedRun } from '../ports/delivery-log';

/** DeliveryLog within one process: hands each run to every follower at once and keeps nothing. */
export class InProcessDeliveryLog implements DeliveryLog {
  private readonly followers = new Set<FollowDeliveryOptions>();
  private closed = false;

  async publish(run: RecordedRun): Promise<void> {
    await this.check();
    this.tell((follower) => follower.onRun(run));
  }

  async forget(): Promise<void> {
    await this.check();
    this.tell((follower) => follower.onForgotten?.());
  }

  private tell(what: (follower: FollowDeliveryOptions) => void): void {
    for (const follower of this.followers) {
      try {
        what(follower);
      } catch (error) {
        follower.onFault?.(error);
      }
    }
  }

  follow(options: FollowDeliveryOptions): Promise<DeliveryFollower> {
    this.followers.add(options);
    return Promise.resolve({
      stop: () => {
        this.followers.delete(options);
        return Promise.resolve();
      },
    });
  }

  check(): Promise<void> {
    if (this.closed) {
      return Promise.reject(new SluiceError('delivery_log_unavailable', 'The delivery log is closed'));
    }
    return Promise.resolve();
  }

  close(): Promise<void> {
    this.closed = true;
    this.followers.clear();
    return Promise.resolve();
  }
}
