export { createEventsClient, EventsClient } from './client';
export { createPubSubClient, EventsPubSubClient } from './pubsub';
export { EventsAuthError, EventsError, EventsNetworkError, EventsPubSubError, type PubSubErrorDetails } from './errors';
export {
  DEFAULT_GATEWAY_URL,
  DEFAULT_PUBSUB_HOST,
  DEFAULT_PUBSUB_PORT,
  DEFAULT_RECONNECT_DELAY,
  DEFAULT_TIMEOUT,
  EventTypes,
  type EventType,
} from './constants';
export type {
  AckLevel,
  ConnectionState,
  EventListener,
  EventOrder,
  EventsClientConfig,
  EventsPage,
  GetEventsOptions,
  PubSubClientConfig,
  PubSubEventMap,
  PubSubReset,
  SandboxEvent,
  StoreCallOptions,
  StoreEventInput,
  StoreEventOptions,
  StoreEventResult,
  StoreEventsResult,
} from './types';
