import { SluiceError, type CursorPlace, type EventFilter, type ResetReason, type StartPlace } from '@sluice/event-log';
import type { FeedEvent } from './feed-event';
import type { Loss } from './known-removals';

export interface SubscribeOptions {
  readonly filter: EventFilter;
  readonly start: StartPlace;
  /**
   * On whose behalf it reads: while many catch up, the reads of past events and the looks through recent ones are shared out
   * by caller. All who name none are one caller.
   */
  readonly caller?: string;
  /** Most events that wait for a live subscriber; at least 1. */
  readonly maxQueuedEvents?: number;
  /** Most bytes that wait for a live subscriber; one event may wait whatever its size. */
  readonly maxQueuedBytes?: number;
  readonly stallTimeoutMs?: number;
  /** Closes the subscription. */
  readonly signal?: AbortSignal;
}

/**
 * Why a subscription ended. All but `closed` invite the subscriber to resume from where it was:
 * - `slow_subscriber`: its queue overflowed, or it took nothing for too long;
 * - `shutting_down`: this process stops;
 * - `failed`: the read model could not be read for the backfill;
 * - `closed`: the subscriber's own side closed it.
 */
export type EndReason = 'slow_subscriber' | 'shutting_down' | 'failed' | 'closed';

export type DeliveryItem =
  /** Matching events in position order, at least one. */
  | { readonly kind: 'events'; readonly events: readonly FeedEvent[] }
  /** Once: everything recorded before the subscription went live has been handed over. */
  | { readonly kind: 'caught_up'; readonly at: CursorPlace }
  /**
   * What follows begins after `at`, and what lies between is not told: the numbering changed, or some of it is not kept any
   * more.
   */
  | { readonly kind: 'reset'; readonly reason: ResetReason; readonly at: CursorPlace }
  /** The last item. Resuming from `at` continues without a gap and without a duplicate. */
  | { readonly kind: 'end'; readonly reason: EndReason; readonly at: CursorPlace };

/**
 * One subscriber's view of the feed: every matching event after its start, exactly once, in position order, or an
 * explicit word (`reset`, `end`) that this is not so. It has one reader, which either iterates or uses `take`.
 *
 * - While it catches up nothing waits in memory but one page, and the next page is read when that one was taken.
 * - While it is live matching events wait in a bounded queue; when that overflows, the subscription ends as
 *   `slow_subscriber` and forgets its queue. Nothing is ever dropped from the middle.
 */
export interface Subscription extends AsyncIterable<DeliveryItem> {
  /** Where it really begins: after this place. */
  readonly startedAt: CursorPlace;
  /**
   * Set when the requested cursor could not be honoured. It is not repeated as an item. That something is not kept any more is
   * found where the past is read: then it is an item.
   */
  readonly reset: { readonly reason: ResetReason; readonly requested: CursorPlace } | undefined;
  /**
   * Everything matching up to here has been handed over by `take`. Moves on while events that do not match go by, so an
   * idle subscriber can be given a fresh cursor.
   */
  readonly position: CursorPlace;
  /** Resolves when it ends, which may be before the last items are taken. */
  readonly ended: Promise<EndReason>;
  /**
   * The next item, or undefined when there is none now. After undefined the `onReadable` listener is called. It gives at
   * most `mostEvents` events; with 0 it gives everything but events, which then wait, and a subscriber that leaves them
   * waiting for too long is slow.
   */
  take(mostEvents?: number): DeliveryItem | undefined;
  /**
   * Sets the one listener. It is called once after `take` returned undefined and there may be something again (and once
   * before the first `take`), never from within a call of the reader's own. A listener that throws closes the subscription.
   */
  onReadable(listener: () => void): void;
  /** Ends it as `closed`. Idempotent. */
  close(): void;
}

/** Where a subscription begins, and what it knows of removals then; absent: what its cursor says. */
export type Beginning = Readonly<{ at: CursorPlace; reset: Subscription['reset']; known?: Loss | undefined }>;

/** The error to show to a subscriber whose subscription ended for this reason. */
export function endError(reason: EndReason): SluiceError | undefined {
  switch (reason) {
    case 'slow_subscriber':
      return new SluiceError('slow_subscriber', 'The subscriber did not keep up; resume from the last cursor');
    case 'shutting_down':
      return new SluiceError('shutting_down', 'The service is shutting down; resume from the last cursor');
    case 'failed':
      return new SluiceError('read_model_unavailable', 'Past events cannot be read now; resume from the last cursor');
    case 'closed':
      return undefined;
  }
}

/** All items of a subscription as they come; who stops before the last one closes it. */
export async function* itemsOf(
  subscription: Pick<Subscription, 'take' | 'onReadable' | 'close'>,
  hasEnded: () => boolean,
): AsyncGenerator<DeliveryItem, void, undefined> {
  try {
    for (;;) {
      const item = subscription.take();
      if (item) yield item;
      else if (hasEnded()) return;
      else await new Promise<void>((resolve) => subscription.onReadable(resolve));
      if (item?.kind === 'end') return;
    }
  } finally {
    subscription.close();
  }
}
