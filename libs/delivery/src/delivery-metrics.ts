import type { ResetReason } from '@sluice/event-log';
import type { EndReason } from './subscription';

export const OVERFLOW_REASONS = ['events', 'bytes', 'stalled'] as const;

export type OverflowReason = (typeof OVERFLOW_REASONS)[number];

/** What the delivery layer counts. Called often and synchronously: implementations must be cheap and must not throw. */
export interface DeliveryMetrics {
  /** Events that entered the feed. */
  published(events: number): void;
  /** Of these, the ones that were read from the read model because the delivery log did not bring them in time (at the start: the newest ones). */
  gapFilled(events: number): void;
  /** Events handed to subscribers. */
  delivered(events: number): void;
  subscribed(): void;
  ended(reason: EndReason): void;
  queueOverflow(reason: OverflowReason): void;
  reset(reason: ResetReason): void;
  /** One page of a backfill read from the read model. */
  pageRead(events: number): void;
  /** One batched look-up of expected events. */
  lookedUp(ids: number): void;
}

const ignore = (): void => undefined;

export const NO_METRICS: DeliveryMetrics = {
  published: ignore,
  gapFilled: ignore,
  delivered: ignore,
  subscribed: ignore,
  ended: ignore,
  queueOverflow: ignore,
  reset: ignore,
  pageRead: ignore,
  lookedUp: ignore,
};
