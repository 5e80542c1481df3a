export { NO_METRICS, OVERFLOW_REASONS, type DeliveryMetrics, type OverflowReason } from './delivery-metrics';
export { EventFeed, type EventFeedOptions, type FeedCounts } from './event-feed';
export { type Expectation, type FoundEvents } from './expectations';
export { FeedEvent, type Dialect } from './feed-event';
export { DELIVERY_LIMITS, type DeliveryLimits } from './limits';
export {
  PRESENCE_LIMITS,
  type PresenceBoard,
  type PresenceMembership,
  type PresencePlace,
  type PresenceRefusal,
  type PresenceSignals,
  type PresentSubscriber,
} from './presence-board';
export { PresenceGroups, type JoinedMember } from './presence-groups';
export { MemoryPresenceBoard } from './presence-memory';
export { endError, type DeliveryItem, type EndReason, type SubscribeOptions, type Subscription } from './subscription';
